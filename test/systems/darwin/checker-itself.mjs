/** The checker must find each fault that is made in a file without one. */
import { faultsOf } from './checker.mjs'
import { readSlice, slicesOf } from './mach-o.mjs'

const LC = { LOAD_DYLIB: 0xc, BUILD_VERSION: 0x32, MIN_VERSION: 0x24, SIGNATURE: 0x1d }

/** Where a slice's load commands are, by type. */
function commandsOf(/** @type {Buffer} */ slice) {
  const found = []
  for (let i = 0, at = 32; i < slice.readUInt32LE(16); i += 1, at += slice.readUInt32LE(at + 4)) {
    found.push({ type: slice.readUInt32LE(at), at })
  }
  return found
}

/** @param {(slice: Buffer) => void} change */
function changed(/** @type {Buffer} */ file, change) {
  const copy = Buffer.from(file)
  change(/** @type {Buffer} */ (slicesOf(copy)[0]))
  return copy
}

const place = (/** @type {Buffer} */ slice, /** @type {number} */ type) => {
  const found = commandsOf(slice).find((command) => command.type === type)
  if (!found) throw new Error(`there is no load command ${type}`)
  return found.at
}

/** @throws Error where a fault stays unnoticed. */
export function checkTheChecker(
  /** @type {Buffer} */ file,
  /** @type {import('./checker.mjs').Kind} */ kind,
  /** @type {('x64' | 'arm64')[]} */ machines,
  /** @type {import('./checker.mjs').Known} */ known,
) {
  const without = (/** @type {string} */ name) => {
    const libSystem = new Set(known.libSystem)
    libSystem.delete(name)
    return { ...known, libSystem }
  }
  const first = readSlice(/** @type {Buffer} */ (slicesOf(file)[0]))
  const needed = first.undefinedSymbols.find((name) => known.libSystem.has(name)) ?? ''
  const interposed = () =>
    changed(file, (slice) => {
      const at = slice.indexOf('__interpose\0')
      if (at >= 0) slice.write('__unknown', at)
      else slice.write('__interpose\0', slice.indexOf('__text\0'), 'latin1')
    })
  /** @type {[string, Buffer, RegExp, typeof machines?, typeof known?][]} */
  const cases = [
    ['another machine', file, /it is not for/, machines.length === 1 ? ['x64', 'arm64'] : ['x64']],
    ['an unknown symbol', file, new RegExp(`nobody has ${needed.replaceAll('$', '\\$')}`), machines, without(needed)],
    [
      'a newer minimum version',
      changed(file, (slice) => {
        const build = commandsOf(slice).some(({ type }) => type === LC.BUILD_VERSION)
        slice.writeUInt32LE(12 << 16, place(slice, build ? LC.BUILD_VERSION : LC.MIN_VERSION) + (build ? 12 : 8))
      }),
      /it needs macOS 12\.0/,
    ],
    [
      'another library',
      changed(file, (slice) => {
        const at = place(slice, LC.LOAD_DYLIB)
        slice.write('/usr/lib/libc++.1.dylib\0', at + slice.readUInt32LE(at + 8))
      }),
      /it loads \/usr\/lib\/libc\+\+/,
    ],
    ['no signature', changed(file, (slice) => slice.writeUInt32LE(0x26, place(slice, LC.SIGNATURE))), /not signed/],
    [
      'another byte',
      changed(file, (slice) => {
        slice[8192] = ~Number(slice[8192])
      }),
      /page \d+ is not what was signed/,
    ],
    [
      'a restricted segment',
      changed(file, (slice) => slice.write('__RESTRICT\0', slice.indexOf('__LINKEDIT\0'))),
      /RESTRICT/,
    ],
    ['interposing where it should not, or none where it should', interposed(), /it interposes/],
    ...[4, 40, 200, 600, 5000, file.length - 4096].map(
      (length) =>
        /** @type {[string, Buffer, RegExp]} */ ([
          `cut off after ${length} bytes`,
          file.subarray(0, length),
          /cut off|its signature is none|no 64-bit/,
        ]),
    ),
  ]
  for (const [what, bad, expected, forMachines = machines, symbols = known] of cases) {
    const faults = faultsOf(bad, kind, forMachines, symbols)
    if (!faults.some((fault) => expected.test(fault))) {
      throw new Error(`The checker does not see ${what}: it says ${JSON.stringify(faults)}`)
    }
  }
  console.log(`  and the checker sees ${cases.length} faults that are made in it`)
}
