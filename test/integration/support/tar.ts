/** Writes a ustar archive with any names in it. */
export function writeTar(files: readonly { readonly name: string; readonly text: string }[]): Uint8Array {
  return Buffer.concat([...files.flatMap(({ name, text }) => fileBlocks(name, Buffer.from(text))), Buffer.alloc(1024)])
}

function fileBlocks(name: string, content: Buffer): Buffer[] {
  const header = Buffer.alloc(512)
  header.write(name, 0)
  header.write('0000644\x000000000\x000000000\0', 100)
  header.write(`${content.length.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0        0`, 124)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]
}
