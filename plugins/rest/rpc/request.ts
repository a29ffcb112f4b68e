import { type ChaincodeSpec, ChaincodeSpec_Type, ConfidentialityLevel } from '../../../proto/index.js'
import { type Field, type Fields, Reader } from '../json/fields.js'
import { bytesField, int32Field, int64Of, objectField, objectSchema, stringField, stringsField } from '../json/kinds.js'
import { JsonSyntaxError, parseJson } from '../json/parse.js'

/** The id of a request: echoed exactly, so never a JavaScript number. */
export type RpcId = string | bigint

/** A request as it was read; what was absent or null is undefined. */
export interface RpcRequest {
  jsonrpc: string | undefined
  method: string | undefined
  params: SpecDraft | undefined
  id: RpcId | undefined
}

/** `params`: a ChaincodeSpec whose arguments are strings (spec/node.md §6.4). */
export interface SpecDraft {
  /** Any number, as on the wire. */
  type: ChaincodeSpec_Type
  chaincodeID: { path: string; name: string } | undefined
  args: string[] | undefined
  timeout: number
  secureContext: string
  confidentialityLevel: ConfidentialityLevel
  metadata: Uint8Array
  attributes: string[]
}

/**
 * Reads the body of a POST to /chaincode.
 *
 * @returns the request, or the text of Go's parser about what is wrong with it
 */
export function readRequest(body: Uint8Array): { readonly request: RpcRequest } | { readonly wrong: string } {
  const request: RpcRequest = { jsonrpc: undefined, method: undefined, params: undefined, id: undefined }
  const reader = new Reader(body)
  try {
    reader.object(parseJson(body), 'rpcRequest', 'rest.rpcRequest', requestFields(request))
  } catch (error) {
    if (error instanceof JsonSyntaxError) return { wrong: error.message }
    throw error
  }
  return reader.failure === undefined ? { request } : { wrong: reader.failure }
}

/** The JSON Schema of a request. */
export function requestSchema(): Readonly<Record<string, unknown>> {
  const fields = requestFields({ jsonrpc: undefined, method: undefined, params: undefined, id: undefined })
  return { ...objectSchema(fields, ['jsonrpc', 'method', 'params']), title: 'JSON-RPC 2.0 request' }
}

/** The specification for the services, arguments as bytes. */
export function toChaincodeSpec({ args = [], ...draft }: SpecDraft): ChaincodeSpec {
  return { ...draft, ctorMsg: { args: args.map((arg) => Buffer.from(arg)) } }
}

function requestFields(request: RpcRequest): Fields {
  const version = { const: '2.0' }
  const method = { enum: ['deploy', 'invoke', 'query'] }
  return {
    jsonrpc: stringField((text) => void (request.jsonrpc = text), version, { pointer: true }),
    method: stringField((text) => void (request.method = text), method, { pointer: true }),
    params: objectField(
      'ChaincodeSpec',
      'protos.ChaincodeSpec',
      () => specFields((request.params ??= emptySpec())),
      () => void (request.params = undefined),
    ),
    id: idField((id) => void (request.id = id)),
  }
}

function idField(set: (id: RpcId | undefined) => void): Field {
  return {
    schema: {
      type: ['string', 'integer', 'null'],
      format: 'int64',
      description: 'Echoed. Without one the request is a notification: it is answered with nothing.',
    },
    read(value, reader, raw) {
      if (value.kind === 'null') return set(undefined)
      const id = value.kind === 'string' ? value.text : int64Of(value)
      if (id === undefined) reader.fail(`cannot unmarshal ${raw} into Go value of type int64 or string`)
      else set(id)
    },
  }
}

function specFields(spec: SpecDraft): Fields {
  const types = '0 UNDEFINED, 1 GOLANG, 2 NODE, 3 CAR, 4 JAVA. A number, never a name.'
  return {
    type: int32Field(
      'protos.ChaincodeSpec_Type',
      (number) => {
        if (isType(number)) spec.type = number
      },
      { description: types },
    ),
    chaincodeID: objectField(
      'ChaincodeID',
      'protos.ChaincodeID',
      () => {
        const id = (spec.chaincodeID ??= { path: '', name: '' })
        return {
          path: stringField((text) => void (id.path = text ?? ''), { description: 'Where the source is; needed to deploy, except in development mode.' }),
          name: stringField((text) => void (id.name = text ?? ''), { description: 'Name of the deployed chaincode; needed to invoke and query.' }),
        }
      },
      () => void (spec.chaincodeID = undefined),
    ),
    ctorMsg: inputField((args) => void (spec.args = args)),
    timeout: int32Field('int32', (number) => void (spec.timeout = number)),
    secureContext: stringField((text) => void (spec.secureContext = text ?? ''), { description: 'Enrollment id of the user, with security.' }),
    confidentialityLevel: int32Field(
      'protos.ConfidentialityLevel',
      (number) => {
        if (isLevel(number)) spec.confidentialityLevel = number
      },
      {
        description: '0 PUBLIC, 1 CONFIDENTIAL',
      },
    ),
    metadata: bytesField((bytes) => void (spec.metadata = bytes)),
    attributes: stringsField((texts) => void (spec.attributes = texts)),
  }
}

/** Enums are open on the wire: any whole number. */
function isType(number: number): number is ChaincodeSpec_Type {
  return Number.isInteger(number)
}

function isLevel(number: number): number is ConfidentialityLevel {
  return Number.isInteger(number)
}

/** `ctorMsg` reads itself: the function, if any, is the first argument. It is replaced, never merged, when it occurs again. */
function inputField(set: (args: string[] | undefined) => void): Field {
  const fields = (input: { fn: string; args: string[] }): Fields => ({
    function: stringField((text) => void (input.fn = text ?? ''), { description: 'Put before the arguments unless it is empty.' }),
    args: stringsField((texts) => void (input.args = texts)),
  })
  return {
    schema: objectSchema(fields({ fn: '', args: [] })),
    read(value, reader) {
      if (value.kind === 'null') return set(undefined)
      const input = { fn: '', args: [] as string[] }
      reader.within(value, 'protos.strArgs', fields(input))
      set(input.fn === '' ? input.args : [input.fn, ...input.args])
    },
  }
}

function emptySpec(): SpecDraft {
  return {
    type: ChaincodeSpec_Type.UNDEFINED,
    chaincodeID: undefined,
    args: undefined,
    timeout: 0,
    secureContext: '',
    confidentialityLevel: ConfidentialityLevel.PUBLIC,
    metadata: new Uint8Array(0),
    attributes: [],
  }
}
