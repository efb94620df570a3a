import ts from 'typescript';

/**
 * A plain object answers to `constructor`, `toString` and `__proto__` without anybody having put them there. So a key
 * that others chose is asked for by `ownValue(record, key)`, `Object.hasOwn` or in a Map, and never by `record[key]`,
 * `key in record` or a pattern `{ [key]: found }`.
 */
export const ownKeys = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      read: 'Other people chose this key: ownValue(record, key) of lib/own-value.ts, or a Map.',
      asked: 'Other people chose this key: Object.hasOwn(record, key).',
      assigned: 'Object.assign obeys a key `__proto__`: spread it instead.',
    },
  },
  create(context) {
    const services = context.sourceCode.parserServices;
    const checker = services.program.getTypeChecker();
    const typeOf = (node) => checker.getNonNullableType(services.getTypeAtLocation(node));
    return {
      MemberExpression(node) {
        if (!node.computed || node.property.type === 'Literal') return;
        if (isOurs(typeOf(node.property)) || !isOpen(typeOf(node.object))) return;
        context.report({ node, messageId: 'read' });
      },
      'ObjectPattern > Property[computed=true]'(node) {
        context.report({ node, messageId: 'read' });
      },
      'BinaryExpression[operator="in"][left.type!="Literal"][left.type!="PrivateIdentifier"]'(node) {
        context.report({ node, messageId: 'asked' });
      },
      'CallExpression[callee.object.name="Object"][callee.property.name="assign"]'(node) {
        const sources = node.arguments.slice(1);
        if (sources.every(({ type }) => type === 'ObjectExpression')) return;
        context.report({ node, messageId: 'assigned' });
      },
    };
  },
};

/** A place in a list, or one word that is written in the code. */
const isOurs = (type) => (type.flags & ts.TypeFlags.NumberLike) !== 0 || type.isStringLiteral();

/** It may be asked for any key at all. */
function isOpen(type) {
  if (type.isUnion()) return type.types.some(isOpen);
  if ((type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) !== 0) return true;
  return type.getStringIndexType() !== undefined;
}
