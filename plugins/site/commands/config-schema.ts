import { PeerCommand, declaredKeys } from '../../../kernel/index.js'
import { jsonSchema } from '../json-schema.js'

/** `peer config schema` */
export class ConfigSchemaCommand extends PeerCommand {
  static override paths = [['config', 'schema']]
  static override usage = PeerCommand.Usage({
    description: 'Print the JSON Schema of this site’s configuration file.',
    details: 'Editors complete and check peer.config.json and peer.config.yaml with it.',
    examples: [['For an editor', '$0 config schema > peer.schema.json']],
  })

  protected async run(): Promise<void> {
    const schema = jsonSchema(declaredKeys((await this.site()).plugins).values())
    this.report(schema, `${JSON.stringify(schema, null, 2)}\n`)
  }
}
