import { defineKeys, flag, key } from '../../kernel/index.js'

/** Keys of the admin plugin. */
export const adminKeys = defineKeys({
  'admin.allowStop': key(flag(), true, 'let Admin.StopServer stop this peer; as in v0.6 nothing authenticates its callers'),
})
