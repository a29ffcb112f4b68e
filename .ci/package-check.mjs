// Lints what npm would publish. The engines of examples/ are shipped as packages inside this one (`peer engine new` copies one of them), so that theirs have
// `exports` of their own is meant; publint has no setting for that.
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

const isMeant = ({ code, args }) => code === 'NESTED_PACKAGE_JSON_FIELD_IGNORED' && /^\.\/examples\/engines\/[^/]+\/package\.json$/.test(args.filePath)
const { messages, pkg } = await publint({ pkgDir: '.', strict: true })
const found = messages.filter((message) => !isMeant(message))
for (const message of found) console.error(`package: ${message.type}: ${formatMessage(message, pkg)}`)
process.exit(found.some(({ type }) => type !== 'suggestion') ? 1 : 0)
