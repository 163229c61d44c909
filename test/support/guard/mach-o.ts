/** Mach-O files as they may be. */
export interface SliceParts {
  readonly arm64?: boolean
  readonly arm64e?: boolean
  readonly loader?: boolean
  readonly restricted?: boolean
  readonly flags?: number
  readonly platform?: number
  readonly entitlements?: readonly string[]
}

function command(type: number, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  bytes.writeUInt32LE(type, 0)
  bytes.writeUInt32LE(size, 4)
  return bytes
}

function blob(magic: number, content: Buffer): Buffer {
  const bytes = Buffer.alloc(8 + content.length)
  bytes.writeUInt32BE(magic, 0)
  bytes.writeUInt32BE(bytes.length, 4)
  content.copy(bytes, 8)
  return bytes
}

function signatureOf({ flags = 0, platform = 0, entitlements = [] }: SliceParts): Buffer {
  const directory = Buffer.alloc(40)
  directory.writeUInt32BE(flags, 4)
  directory[30] = platform
  const keys = entitlements.map((name) => `<key>com.apple.security.cs.${name}</key>\n\t<true/>`)
  const blobs = [
    [0, blob(0xfade0c02, directory)],
    [5, blob(0xfade7171, Buffer.from(`<plist><dict>${keys.join('')}</dict></plist>`))],
  ] as const
  const index = Buffer.alloc(4 + 8 * blobs.length)
  index.writeUInt32BE(blobs.length, 0)
  let offset = 8 + index.length
  for (const [i, [slot, bytes]] of blobs.entries()) {
    index.writeUInt32BE(slot, 4 + i * 8)
    index.writeUInt32BE(offset, 8 + i * 8)
    offset += bytes.length
  }
  return blob(0xfade0cc0, Buffer.concat([index, ...blobs.map(([, bytes]) => bytes)]))
}

export function slice(parts: SliceParts = {}): Buffer {
  const { arm64 = true, arm64e = false, loader = true, restricted = false } = parts
  const signature = signatureOf(parts)
  const commands = [...(loader ? [command(0xe, 32)] : [])]
  if (restricted) {
    const segment = command(0x19, 72)
    segment.write('__RESTRICT', 8)
    commands.push(segment)
  }
  const signed = command(0x1d, 16)
  commands.push(signed)
  const size = commands.reduce((sum, { length }) => sum + length, 0)
  signed.writeUInt32LE(32 + size, 8)
  signed.writeUInt32LE(signature.length, 12)
  const header = Buffer.alloc(32)
  header.writeUInt32LE(0xfeedfacf, 0)
  header.writeUInt32LE(arm64 ? 0x0100000c : 0x01000007, 4)
  header.writeUInt32LE(arm64e ? 0x80000002 : 0, 8)
  header.writeUInt32LE(2, 12)
  header.writeUInt32LE(commands.length, 16)
  header.writeUInt32LE(size, 20)
  return Buffer.concat([header, ...commands, signature])
}

export function universal(...slices: Buffer[]): Buffer {
  const table = Buffer.alloc(8 + 20 * slices.length)
  table.writeUInt32BE(0xcafebabe, 0)
  table.writeUInt32BE(slices.length, 4)
  let offset = table.length
  for (const [i, bytes] of slices.entries()) {
    const at = 8 + i * 20
    table.writeUInt32BE(bytes.readUInt32LE(4), at)
    table.writeUInt32BE(bytes.readUInt32LE(8), at + 4)
    table.writeUInt32BE(offset, at + 8)
    table.writeUInt32BE(bytes.length, at + 12)
    offset += bytes.length
  }
  return Buffer.concat([table, ...slices])
}
