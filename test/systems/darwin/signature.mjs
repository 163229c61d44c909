/** Ad hoc signatures of Mach-O files: written for a slice without one, and checked page by page (xnu's cs_blobs.h). */
import { createHash } from 'node:crypto'
import { readSlice } from './mach-o.mjs'

const SUPER_BLOB = 0xfade0cc0
const CODE_DIRECTORY = 0xfade0c02
const ADHOC = 0x2
const LINKER_SIGNED = 0x20000
const SHA256 = 2
const HASH_BYTES = 32
/** Of the version that names the executable segment, 0x20400. */
const DIRECTORY_BYTES = 88
const PAGE = 4096
const MH_EXECUTE = 2

const aligned = (/** @type {number} */ number, /** @type {number} */ to) => Math.ceil(number / to) * to

function pagesOf(/** @type {Buffer} */ code, size = PAGE) {
  const hashes = []
  for (let at = 0; at < code.length; at += size) {
    hashes.push(
      createHash('sha256')
        .update(code.subarray(at, at + size))
        .digest(),
    )
  }
  return hashes
}

/** As the linker signs for arm64. @param name - The identifier. */
export function signed(/** @type {Buffer} */ slice, /** @type {string} */ name) {
  const { segments, fileType, signature } = readSlice(slice)
  if (signature) throw new Error(`${name} is signed already`)
  const linkedit = segments.find((segment) => segment.name === '__LINKEDIT')
  const executable = segments.find((segment) => segment.name === '__TEXT')
  if (!linkedit || !executable) throw new Error(`${name} has no __LINKEDIT or no __TEXT`)
  const limit = aligned(slice.length, 16)
  const identifier = Buffer.from(`${name}\0`)
  const hashes = DIRECTORY_BYTES + identifier.length
  const count = Math.ceil(limit / PAGE)
  const length = 20 + hashes + count * HASH_BYTES
  const size = aligned(length, 16)

  const code = Buffer.alloc(limit)
  slice.copy(code)
  const commands = code.readUInt32LE(20)
  const command = code.subarray(32 + commands, 48 + commands)
  if (command.some((byte) => byte !== 0)) throw new Error(`${name} has no room for another load command`)
  command.writeUInt32LE(0x1d, 0)
  command.writeUInt32LE(16, 4)
  command.writeUInt32LE(limit, 8)
  command.writeUInt32LE(size, 12)
  code.writeUInt32LE(code.readUInt32LE(16) + 1, 16)
  code.writeUInt32LE(commands + 16, 20)
  const grown = limit + size - linkedit.offset
  code.writeBigUInt64LE(BigInt(aligned(grown, PAGE)), linkedit.at + 32)
  code.writeBigUInt64LE(BigInt(grown), linkedit.at + 48)

  const blob = Buffer.alloc(size)
  const directory = blob.subarray(20)
  ;[SUPER_BLOB, length, 1, 0, 20].forEach((word, i) => {
    blob.writeUInt32BE(word, i * 4)
  })
  const words = [CODE_DIRECTORY, length - 20, 0x20400, ADHOC | LINKER_SIGNED, hashes, DIRECTORY_BYTES, 0, count, limit]
  words.forEach((word, i) => {
    directory.writeUInt32BE(word, i * 4)
  })
  directory[36] = HASH_BYTES
  directory[37] = SHA256
  directory[39] = Math.log2(PAGE)
  directory.writeBigUInt64BE(BigInt(executable.offset), 64)
  directory.writeBigUInt64BE(BigInt(executable.size), 72)
  directory.writeBigUInt64BE(fileType === MH_EXECUTE ? 1n : 0n, 80)
  identifier.copy(directory, DIRECTORY_BYTES)
  Buffer.concat(pagesOf(code)).copy(directory, hashes)
  return Buffer.concat([code, blob])
}

/** What is wrong with the signature; undefined where it holds. */
export function signatureFault(/** @type {ReturnType<typeof readSlice>} */ { file, signature }) {
  if (!signature) return 'it is not signed'
  const { offset, size } = signature
  const blob = file.subarray(offset, offset + size)
  if (blob.length < size || blob.readUInt32BE(0) !== SUPER_BLOB) return 'its signature is none'
  const directories = Array.from({ length: blob.readUInt32BE(8) }, (_, i) => blob.readUInt32BE(16 + i * 8))
    .map((at) => blob.subarray(at))
    .filter((part) => part.readUInt32BE(0) === CODE_DIRECTORY)
  const directory = directories[0]
  if (directories.length !== 1 || !directory) return 'its signature has not one code directory'
  const [flags, hashes, count, limit] = [12, 16, 28, 32].map((at) => directory.readUInt32BE(at))
  if ((Number(flags) & ADHOC) === 0) return 'it is not signed ad hoc'
  if (directory[36] !== HASH_BYTES || directory[37] !== SHA256) return 'it is not signed by SHA-256'
  if (limit !== offset) return 'its signature does not cover all of it'
  const found = pagesOf(file.subarray(0, limit), 2 ** Number(directory[39]))
  if (found.length !== count) return 'its signature has another number of pages'
  const wrong = found.findIndex((hash, i) => {
    const at = Number(hashes) + i * HASH_BYTES
    return !hash.equals(directory.subarray(at, at + HASH_BYTES))
  })
  return wrong < 0 ? undefined : `page ${wrong} is not what was signed`
}
