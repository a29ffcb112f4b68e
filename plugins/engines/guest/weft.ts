/**
 * What `weft` means inside an engine's process.
 *
 * @packageDocumentation
 */
export {
  address,
  assert,
  choice,
  createToken,
  defineKeys,
  definePlugin,
  duration,
  flag,
  integer,
  key,
  list,
  map,
  messageOf,
  PeerError,
  text,
} from '../../../kernel/index.js'
