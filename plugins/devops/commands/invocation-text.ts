import { type ChaincodeInvocationSpec, ChaincodeSpec_Type } from '../../../proto/index.js'

/** An invocation in protobuf's compact text form, as v0.6 logs it; a blank at its end is part of that form. */
export function invocationText({ chaincodeSpec, idGenerationAlg }: ChaincodeInvocationSpec): string {
  const { type = ChaincodeSpec_Type.UNDEFINED, chaincodeID, ctorMsg, attributes = [] } = chaincodeSpec ?? {}
  const args = ctorMsg?.args.map((arg) => field('args', Buffer.from(arg).toString(), true)).join('') ?? ''
  const spec = [
    type === ChaincodeSpec_Type.UNDEFINED ? '' : `type:${ChaincodeSpec_Type[type] ?? type} `,
    `chaincodeID:<${field('path', chaincodeID?.path ?? '')}${field('name', chaincodeID?.name ?? '')}> `,
    `ctorMsg:<${args}> `,
    ...attributes.map((attribute) => field('attributes', attribute, true)),
  ].join('')
  return `chaincodeSpec:<${spec}> ${field('idGenerationAlg', idGenerationAlg)}`
}

function field(name: string, text: string, isRepeated = false): string {
  return text === '' && !isRepeated ? '' : `${name}:${JSON.stringify(text)} `
}
