/** What a Mach-O file says of whether a library can be inserted into it (mach-o/loader.h, xnu's cs_blobs.h, dyld(1)). */
import type { Read } from '../node/file-reader.js'

const MAGIC_64 = 0xfeedfacf
const FAT = 0xcafebabe
const FAT_64 = 0xcafebabf
const CPU_ARM64 = 0x0100000c
const CPU_X86_64 = 0x01000007
const SUBTYPE_ARM64E = 2
const LC_LOAD_DYLINKER = 0xe
const LC_SEGMENT_64 = 0x19
const LC_CODE_SIGNATURE = 0x1d
const EMBEDDED_SIGNATURE = 0xfade0cc0
const SLOT_CODE_DIRECTORY = 0
const SLOT_ENTITLEMENTS = 5
const CS_RESTRICT = 0x800
const CS_REQUIRE_LV = 0x2000
const CS_RUNTIME = 0x10000

/** More commands, or a larger signature, has no program. */
const MAX_BYTES = 2 ** 24

/** What System Integrity Protection takes the variables from. */
const PROTECTED = /^\/(?:System|bin|sbin|usr(?!\/local\/))\//

export function isMachO(head: Buffer): boolean {
  if (head.length < 4) return false
  const big = head.readUInt32BE(0)
  return head.readUInt32LE(0) === MAGIC_64 || big === FAT || big === FAT_64
}

/** Why not; undefined when it can be, in every slice. `path`: without symbolic links. */
export function whyNotInserted(read: Read, path: string): string | undefined {
  if (PROTECTED.test(path)) return 'System Integrity Protection keeps libraries out of it'
  try {
    const slices = slicesOf(read)
    if (slices.length === 0) return 'it has no part for a 64-bit machine'
    for (const offset of slices) {
      const why = whySliceRefuses((at, length) => whole(read, offset + at, length))
      if (why !== undefined) return why
    }
    return undefined
  } catch (error) {
    if (error instanceof CutOff) return 'its file is cut off'
    throw error
  }
}

class CutOff extends Error {}

function whole(read: Read, offset: number, length: number): Buffer {
  const bytes = length <= MAX_BYTES ? read(offset, length) : Buffer.alloc(0)
  if (bytes.length < length) throw new CutOff()
  return bytes
}

/** Where the parts for 64-bit machines begin. */
function slicesOf(read: Read): number[] {
  const magic = whole(read, 0, 8)
  if (magic.readUInt32LE(0) === MAGIC_64) return [0]
  const isWide = magic.readUInt32BE(0) === FAT_64
  const size = isWide ? 32 : 20
  const count = magic.readUInt32BE(4)
  const table = whole(read, 8, count * size)
  return Array.from({ length: count }, (_, i) => table.subarray(i * size))
    .filter((entry) => [CPU_ARM64, CPU_X86_64].includes(entry.readUInt32BE(0)))
    .map((entry) => (isWide ? Number(entry.readBigUInt64BE(8)) : entry.readUInt32BE(8)))
}

function whySliceRefuses(read: Read): string | undefined {
  const header = read(0, 32)
  if (header.readUInt32LE(4) === CPU_ARM64 && (header.readUInt32LE(8) & 0xffffff) === SUBTYPE_ARM64E) {
    return 'it has an arm64e part, which no library of another’s can be loaded into'
  }
  const commands = read(32, header.readUInt32LE(20))
  let hasLoader = false
  let signature: Buffer = Buffer.alloc(0)
  for (let at = 0, i = header.readUInt32LE(16); i > 0; i -= 1) {
    if (at + 8 > commands.length) throw new CutOff()
    const size = commands.readUInt32LE(at + 4)
    if (size < 8 || at + size > commands.length) throw new CutOff()
    const command = commands.subarray(at, at + size)
    const type = command.readUInt32LE(0)
    if (type === LC_LOAD_DYLINKER) hasLoader = true
    if (type === LC_SEGMENT_64 && command.toString('latin1', 8, 24).startsWith('__RESTRICT\0')) {
      return 'it is linked so that it takes no libraries (__RESTRICT)'
    }
    if (type === LC_CODE_SIGNATURE && size >= 16) signature = read(command.readUInt32LE(8), command.readUInt32LE(12))
    at += size
  }
  return hasLoader ? whySignatureRefuses(signature) : 'it is static: no library can be inserted into it'
}

function whySignatureRefuses(signature: Buffer): string | undefined {
  // Without a signature nothing refuses.
  if (signature.length < 12 || signature.readUInt32BE(0) !== EMBEDDED_SIGNATURE) return undefined
  let flags = 0
  let platform = 0
  let entitlements = ''
  const count = signature.readUInt32BE(8)
  for (let i = 0; i < count; i += 1) {
    if (20 + i * 8 > signature.length) throw new CutOff()
    const slot = signature.readUInt32BE(12 + i * 8)
    const blob = signature.subarray(signature.readUInt32BE(16 + i * 8))
    if (slot === SLOT_CODE_DIRECTORY) {
      if (blob.length < 40) throw new CutOff()
      flags = blob.readUInt32BE(12)
      platform = blob[38] as number
    }
    if (slot === SLOT_ENTITLEMENTS && blob.length >= 8) entitlements = blob.toString('utf8', 8, blob.readUInt32BE(4))
  }
  const may = (name: string) =>
    new RegExp(`<key>com\\.apple\\.security\\.cs\\.${name}</key>\\s*<true\\s*/>`).test(entitlements)
  if (platform !== 0 || flags & CS_RESTRICT) return 'it is signed so that it takes no libraries'
  if (flags & CS_RUNTIME && !may('allow-dyld-environment-variables')) {
    return 'it is signed with the hardened runtime, without com.apple.security.cs.allow-dyld-environment-variables'
  }
  if (flags & (CS_RUNTIME | CS_REQUIRE_LV) && !may('disable-library-validation')) {
    return 'it is signed for libraries of its own maker alone, without com.apple.security.cs.disable-library-validation'
  }
  return undefined
}
