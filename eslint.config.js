import tseslint from 'typescript-eslint';
import { ownKeys } from './test/support/own-keys.js';

export default tseslint.config(
  { ignores: ['dist', 'coverage', '**/node_modules', 'examples/mcp-server', 'test/support/test-server'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-properties': [
        'error',
        { object: 'vi', property: 'mock', message: 'No mocks of our own modules.' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'No default exports.' },
        { selector: 'TSEnumDeclaration', message: 'No enums.' },
        {
          selector: 'CatchClause > BlockStatement[body.length=0]',
          message: 'Nothing is caught and dropped.',
        },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    plugins: { ours: { rules: { 'own-keys': ownKeys } } },
    rules: {
      'ours/own-keys': 'error',
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 40, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 4],
      'no-console': 'error',
    },
  },
  { files: ['src/lib/own-value.ts'], rules: { 'ours/own-keys': 'off' } },
  { files: ['*.config.{js,ts}'], rules: { 'no-restricted-syntax': 'off' } },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
);
