export { BucketTree } from './bucket-tree.js'
export { TreeShape } from './shape.js'
