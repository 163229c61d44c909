/** What must be true of every binary for Linux that is shipped. binutils read those of any machine. */
import { execFileSync } from 'node:child_process'

const text = (/** @type {string} */ command, /** @type {string[]} */ args) =>
  execFileSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })

/** What Node 20 to 26 themselves need of glibc is the most that an addon may. */
const GLIBC_FLOOR = { major: 2, minor: 28 }

/** What a program has anyway: the libc in its parts, by any name. */
const libcs = {
  glibc: /^(lib(c|m|dl|pthread|rt)\.so\.\d|ld-linux[\w-]*\.so\.\d)$/,
  musl: /^libc\.so$/,
}

const exported = {
  addon: /^(napi_register_module_v1|node_api_module_get_api_version_v1)$/,
  guard: /^(sigshield_guard_\w+|(__)?(bsd_|sysv_|s)?sig\w+|posix_spawnattr_setsigdefault)$/,
}

/** What every libc has. A program in which the guard finds less ends before it begins. */
const wanted = /^(__errno_location|environ|[a-z]+(_[a-z]+)*)$/

/** @param {string} version */
const isAboveFloor = (version) => {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > GLIBC_FLOOR.major || (major === GLIBC_FLOOR.major && minor > GLIBC_FLOOR.minor)
}

/**
 * What is wrong with a file.
 * @param {string} file
 * @param {{ kind: 'addon' | 'guard', machine: 'x64' | 'arm64', libc: 'glibc' | 'musl' }} expected
 * @returns {string[]}
 */
export function faultsOf(file, { kind, machine, libc }) {
  const faults = []
  const header = text('readelf', ['--wide', '--file-header', file])
  const name = { x64: 'X86-64', arm64: 'AArch64' }[machine]
  if (!/Type:\s+DYN/.test(header) || !new RegExp(`Machine:.*${name}`).test(header))
    faults.push(`no library for ${machine}`)

  const sections = text('readelf', ['--wide', '--sections', file])
  for (const [section] of sections.matchAll(/\.(symtab|debug_\w+|zdebug_\w+)\b/g))
    faults.push(`not stripped: ${section}`)

  const dynamic = text('readelf', ['--wide', '--dynamic', file])
  const needed = [...dynamic.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map((match) => String(match[1]))
  for (const library of needed) {
    if (kind === 'guard' || !libcs[libc].test(library)) faults.push(`needs the library ${library}`)
  }
  if (kind === 'addon' && needed.length === 0) faults.push('needs no libc')
  if (!/NODELETE/.test(dynamic)) faults.push('may be unloaded: its threads and handlers would run on')
  if (/\((RPATH|RUNPATH|TEXTREL)\)/.test(dynamic)) faults.push('has an RPATH, or text that is relocated')
  if (/GNU_STACK.*RWE/.test(text('readelf', ['--wide', '--program-headers', file])))
    faults.push('has an executable stack')

  const symbols = text('objdump', ['--dynamic-syms', file]).split('\n')
  const versions = new Set(
    symbols.flatMap((line) => [...line.matchAll(/\b(GLIBC|GLIBCXX|CXXABI|GCC)_([\d.]+)/g)]).map(([version]) => version),
  )
  for (const version of versions) {
    const [family, number = ''] = version.split('_')
    if (family !== 'GLIBC' || libc !== 'glibc' || isAboveFloor(number)) faults.push(`needs ${version}`)
  }
  for (const line of symbols) {
    const [, missing = ''] = line.match(/^[0-9a-f]+ +D? *D +\*UND\*\s.*\s(\S+)$/) ?? []
    if (kind === 'guard' && missing !== '' && !wanted.test(missing)) faults.push(`needs ${missing}`)
    const symbol = line.trim().split(/\s+/).at(-1) ?? ''
    if (/\*UND\*|^$|DYNAMIC SYMBOL|file format/.test(line) || !/^[0-9a-f]{8,}/.test(line)) continue
    if (!exported[kind].test(symbol)) faults.push(`exports ${symbol}`)
  }
  return faults
}

/**
 * What the object of the child half must not have: between clone and execve it shares its parent's memory.
 * @param {string} object
 * @returns {string[]}
 */
export function faultsOfChildHalf(object) {
  // The first is a label, not a function; the second is called only where a distribution's compiler guards stacks by default.
  const allowed = ['_GLOBAL_OFFSET_TABLE_', '__stack_chk_fail']
  // A weak symbol may be linked to the copy of another file.
  const called = text('nm', [object])
    .split('\n')
    .flatMap((line) => line.match(/ [UWwVv] (.*)$/)?.[1] ?? [])
    .filter((symbol) => !allowed.includes(symbol))
  const sections = text('readelf', ['--sections', '--wide', object])
  const faults = called.map((symbol) => `calls ${symbol}`)
  if (!/\.text/.test(sections)) faults.push('has no code')
  if (/\.t(bss|data)/.test(sections)) faults.push('has thread-local storage')
  return faults
}
