import type { MethodDefinition } from '@grpc/grpc-js'

/** The baseline's method: bytes in, bytes out. */
export const ECHO: MethodDefinition<Buffer, Buffer> = {
  path: '/bench.Echo/Call',
  requestStream: false,
  responseStream: false,
  requestSerialize: (bytes) => bytes,
  requestDeserialize: (bytes) => bytes,
  responseSerialize: (bytes) => bytes,
  responseDeserialize: (bytes) => bytes,
}
