import { address, defineKeys, flag, key, list, text } from '../../kernel/index.js'

/** REST (spec/node.md §2.3, §6). */
export const restKeys = defineKeys({
  'rest.enabled': key(flag(), true, 'serve REST'),
  'rest.address': key(address(), '127.0.0.1:7050', 'where REST listens; 0.0.0.0:7050 in v0.6. Nothing authenticates its callers'),
  'rest.validPatterns.enrollmentID': key(text(), '^\\w+$', 'regular expression of the enrollment ids that /registrar takes'),
  'rest.cors.origins': key(list(), [], 'origins whose web pages may use REST, such as https://dash.example.com; * for all; v0.6 allows all'),
})
