export { Trie } from './trie.js'
