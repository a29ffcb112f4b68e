import { defineKeys, flag, key, text } from '../../kernel/index.js'

/** The logging keys of v0.6 (spec/node.md §2.4) and Weft's own. `logging.level`, which outranks them, is the kernel's. */
export const loggingKeys = defineKeys({
  'logging.peer': key(text(), 'warning', 'log levels of the bare command and of commands without a key of their own'),
  'logging.node': key(text(), 'info', 'log levels of peer node'),
  'logging.network': key(text(), 'warning', 'log levels of peer network'),
  'logging.chaincode': key(text(), 'warning', 'log levels of peer chaincode'),
  'logging.version': key(text(), 'warning', 'log levels of peer version'),
  'logging.format': key(text(), 'text', 'text: one v0.6 line an event; json: one JSON object an event'),
  'logging.file': key(text(), '', 'file that lines are appended to instead of stderr; opened anew on SIGHUP, for logrotate'),
  'logging.allowChange': key(flag(), true, 'let weft.LogLevels change the levels of this peer; nothing authenticates its callers'),
})
