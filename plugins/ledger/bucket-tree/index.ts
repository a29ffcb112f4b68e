export { BucketTree } from './bucket-tree.js'
export { TreeShape } from './shape.js'
export type { TreeNamespaces } from './tree-store.js'
