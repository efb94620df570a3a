export { folderSecrets, type FolderSecretsOptions } from './folder.ts';
