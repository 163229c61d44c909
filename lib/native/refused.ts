/** Why there is no addon, told to who can do something about it: what was looked for, and the cure of this cause. */
import { accessSync, constants, readFileSync } from 'node:fs'
import { constants as constantsOfSystem } from 'node:os'
import { join } from 'node:path'
import { systemError, unavailable } from '../node/errors.js'
import { elfOf, isCutOff } from './elf.js'
import { ADDON, addonFile, folders, isThere, ownFile, root, SOURCES } from './place.js'
import { system } from './system.js'

type Refusal = Error & { code: string }

function failed(message: string, cause?: unknown): Refusal {
  return Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { code: 'ERR_DLOPEN_FAILED' })
}

const bundled =
  'mark sigshield as external, so that it is loaded from node_modules (esbuild and ncc: --external, rollup: external, webpack: externals, ' +
  'vite: ssr.external)'

const REINSTALL = 'Install the package again'

/** How the addon is built, as a sentence without its full stop; undefined where its sources are not. */
function building(): string | undefined {
  if (isRepository()) return `Build it: \`npm run build:native\` in ${root}`
  if (!isThere(join(SOURCES, 'binding.gyp'))) return undefined
  const command = `npx --yes node-gyp rebuild -C ${quoted(SOURCES)}`
  return `Build it: \`${command}\` (it needs python3, make and a C++20 compiler)`
}

/** For a shell. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", String.raw`'\''`)}'`
}

/** What makes a file anew that stands there and is not what it should be, as a sentence without its full stop. */
export function cureOf(file: string): string {
  if (process.env.SIGSHIELD_PREBUILD) return 'Build what SIGSHIELD_PREBUILD names again, or unset it'
  if (file.startsWith(join(root, 'prebuilds'))) return REINSTALL
  if (isRepository() || file.startsWith(SOURCES)) return building() ?? REINSTALL
  return `Remove ${file}, which is not of the package`
}

/** Who forbids this process to read it, and the cure, as sentences; undefined where nobody does. */
function forbidder(file: string): string | undefined {
  try {
    accessSync(file, constants.R_OK)
    return undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ERR_ACCESS_DENIED') {
      return `The permission model does not let this process read it: run node with --allow-fs-read=${quoted(join(root, '*'))}, and --allow-addons.`
    }
    if (code !== 'EACCES') return undefined
    return "This process's user may not read it: let everybody read the package's files, and search its folders."
  }
}

function isRepository(): boolean {
  return isThere(join(root, 'binding.gyp'))
}

/** Whether this file stands where the package has it. */
function isInPackage(): boolean {
  if (!isThere(ownFile)) return false
  try {
    return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).name === 'sigshield'
  } catch {
    return false
  }
}

/** No file is there. */
export function missing(): Refusal {
  const files = folders().map((folder) => join(folder, ADDON))
  for (const file of files) {
    const why = forbidder(file)
    if (why !== undefined) return failed(`The sigshield addon ${file} can't be loaded. ${why}`)
  }
  if (!isInPackage()) {
    const place = ownFile || process.argv[1] || process.execPath
    return failed(
      `The sigshield addon can't be found from ${place}: sigshield was bundled, or copied without its package, and its native addon ` +
        `was not. Instead, ${bundled}.`,
    )
  }
  const looked = `Looked for ${files.join(', ')}.`
  if (process.env.SIGSHIELD_PREBUILD) {
    return failed(`There is no sigshield addon where SIGSHIELD_PREBUILD says that it is. ${looked}`)
  }
  if (isRepository()) return failed(`The sigshield addon is not built. ${looked} ${building()}.`)
  if (!shipped.has(system())) {
    const only = `sigshield brings no addon for ${system()}, only for ${[...shipped].join(', ')}.`
    return unavailable(`${only} Nor can it be built here: it knows the system calls of x64 and arm64 alone. ${looked}`)
  }
  const what = `The sigshield addon is missing: prebuilds/${system()} of the package was left out of this copy.`
  const cures = [REINSTALL, building()].filter((cure) => cure !== undefined)
  return failed(`${what} ${looked} ${cures.join('. Or else: ')}.`)
}

/** What the tarball has: packaging/package.mjs. */
const shipped: ReadonlySet<string> = new Set([
  'darwin-arm64',
  'darwin-x64',
  'linux-arm64-glibc',
  'linux-arm64-musl',
  'linux-x64-glibc',
  'linux-x64-musl',
])

const machinesOfMac: ReadonlyMap<number, string> = new Map([
  [0x01000007, 'x64'],
  [0x0100000c, 'arm64'],
])

/** The system that a library was linked for, as far as it says so: `darwin`, `linux-x64`. Undefined where it says nothing. */
function madeFor(file: string): string | undefined {
  const content = readFileSync(file)
  if (content.length < 64) return undefined
  // mach-o/loader.h, mach-o/fat.h.
  if (content.readUInt32BE(0) === 0xcafebabe) return 'darwin'
  const arch = content.readUInt32LE(0) === 0xfeedfacf ? machinesOfMac.get(content.readUInt32LE(4)) : undefined
  if (arch !== undefined) return `darwin-${arch}`
  const machine = elfOf((offset, length) => content.subarray(offset, offset + length))?.machine
  const kind = content.includes('\0libc.so.6\0') ? 'glibc' : content.includes('\0libc.') ? 'musl' : undefined
  return machine && ['linux', machine, ...(kind === undefined ? [] : [kind])].join('-')
}

/**
 * What is wrong with a library, before a loader is asked: a clause, or undefined.
 * @throws Error what open(2) and read(2) do.
 */
export function whyUnfit(file: string): string | undefined {
  if (isCutOff(file)) return 'it is cut off'
  const made = madeFor(file)
  if (made === undefined) return 'it is no library of a system that sigshield knows'
  return isForThis(made) ? undefined : `it was made for ${made}, and this Node for ${system()}`
}

const isForThis = (made: string) => `${system()}-`.startsWith(`${made}-`)

function otherThan(made: string): string {
  if (!made.startsWith(process.platform)) return 'another system'
  return `a system with another ${made.includes(`-${process.arch}`) ? 'libc' : 'machine'}`
}

/** Less of it is there than it says. */
export function cutOff(file: string): Refusal {
  return failed(`The sigshield addon ${file} can't be loaded: it is cut off. ${cureOf(file)}.`)
}

/** As a bundler's own `require` and `createRequire` refuse what stands there. */
const ofBundlers: ReadonlySet<string | undefined> = new Set(['MODULE_NOT_FOUND', 'ERR_INVALID_ARG_VALUE'])

/** The file is there, and the system's loader does not take it. */
export function unloadable(file: string, cause: unknown): Refusal {
  const said = `The sigshield addon ${file} can't be loaded: ${(cause as Error).message.replace(/\.?\s*$/, '.')}`
  if ((cause as NodeJS.ErrnoException).code === 'ERR_DLOPEN_DISABLED') {
    return failed(
      `${said} Allow addons: run node without --no-addons, and under the permission model with --allow-addons (Node 22 and later; that ` +
        'of Node 20 lets none in).',
      cause,
    )
  }
  if (ofBundlers.has((cause as NodeJS.ErrnoException).code)) {
    return failed(
      `${said} The file is there: sigshield was bundled, and loads it by the bundle. Instead, ${bundled}.`,
      cause,
    )
  }
  const forbidden = forbidder(file)
  if (forbidden !== undefined) return failed(`${said} ${forbidden}`, cause)
  const shortage = /Too many open files in system/.test(said)
    ? constantsOfSystem.errno.ENFILE
    : /Too many open files|No file descriptors available/.test(said) && constantsOfSystem.errno.EMFILE
  if (shortage) {
    const refusal = systemError(-shortage, 'dlopen')
    const message = `${refusal.message}: ${said} Close descriptors, or raise their limit (\`ulimit -n\`).`
    return Object.assign(refusal as Refusal, { message, path: file, cause })
  }
  if (process.platform === 'linux' && /failed to map segment|Operation not permitted/.test(said)) {
    const where = `findmnt --target ${quoted(file)}`
    const causes = `Its file system is mounted noexec (\`${where}\`), a policy forbids it, or no memory is left (\`ulimit -v\`)`
    return failed(`${said} ${causes}.`, cause)
  }
  // Of the system's loader (ld.so(8)), which finds another path then.
  const token = /\$\{?(?:ORIGIN|LIB|PLATFORM)\b/.exec(file)?.[0]
  if (token !== undefined) {
    return failed(`${said} The loader reads ${token} in it as its own word: move the package.`, cause)
  }
  const made = builtFor(file)
  if (made !== undefined && !isForThis(made)) {
    return failed(
      `${said} It was made for ${made}, and this Node for ${system()}: node_modules came from ${otherThan(made)}. ` +
        `${cureOf(file)}.`,
      cause,
    )
  }
  return failed(`${said} ${cureOf(file)}.`, cause)
}

/** Where it can be read. */
function builtFor(file: string): string | undefined {
  try {
    return madeFor(file)
  } catch {
    return undefined
  }
}

/** It is an addon of another version of the library; `where` tells by what. */
export function outdated(where: string): Refusal {
  const file = addonFile() ?? ''
  return failed(
    `The sigshield addon ${file} was built from another version of the library: they differ at '${where}'. ${cureOf(file)}.`,
  )
}
