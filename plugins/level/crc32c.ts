const POLYNOMIAL = 0x82f63b78 // Castagnoli, reflected

/** One table a byte of a 32-bit word, after one another: four look-ups do not wait for each other ("slicing by 4"). */
const TABLES = new Uint32Array(4 * 256)
for (let byte = 0; byte < 256; byte += 1) {
  let crc = byte
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
  TABLES[byte] = crc
}
for (let at = 256; at < TABLES.length; at += 1) {
  const before = TABLES[at - 256] ?? 0
  TABLES[at] = (before >>> 8) ^ (TABLES[before & 0xff] ?? 0)
}

/** CRC-32C of `view[from..to)`. */
export function crc32c(view: DataView, from: number, to: number): number {
  const table = (index: number): number => TABLES[index] ?? 0
  let crc = 0xffffffff
  let at = from
  for (; at + 4 <= to; at += 4) {
    crc ^= view.getInt32(at, true)
    crc = table(768 + (crc & 0xff)) ^ table(512 + ((crc >>> 8) & 0xff)) ^ table(256 + ((crc >>> 16) & 0xff)) ^ table(crc >>> 24)
  }
  for (; at < to; at += 1) crc = table((crc ^ view.getUint8(at)) & 0xff) ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}
