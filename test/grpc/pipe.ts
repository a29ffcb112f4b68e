/** Bytes on the wire as they are. */
export const same = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** A service of one two-way stream of bytes. */
export const PIPE = {
  pipe: {
    path: '/weft.test.Pipe/Pipe',
    requestStream: true,
    responseStream: true,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  },
} as const
