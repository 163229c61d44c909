/** Why there is no addon, told to who can do something about it: what was looked for, and the cure of this cause. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { unavailable } from '../node/errors.js'
import { ADDON, addonFile, folders, ownFile, root, SOURCES } from './place.js'
import { libc, system } from './system.js'

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
  if (!existsSync(join(SOURCES, 'binding.gyp'))) return undefined
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

/** The user of this process has no right to it, or to a folder above it. */
function isForbidden(file: string): boolean {
  try {
    accessSync(file, constants.R_OK)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES'
  }
}

const FORBIDDEN = "This process's user may not read it: let everybody read the package's files, and search its folders."

function isRepository(): boolean {
  return existsSync(join(root, 'binding.gyp'))
}

/** Whether this file stands where the package has it. */
function isInPackage(): boolean {
  if (!existsSync(ownFile)) return false
  try {
    return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).name === 'sigshield'
  } catch {
    return false
  }
}

/** No file is there. */
export function missing(): Refusal {
  if (!isInPackage()) {
    const place = ownFile || process.argv[1]
    return failed(
      `The sigshield addon can't be found from ${place}: sigshield was bundled, or copied without its package, and its native addon ` +
        `was not. Instead, ${bundled}.`,
    )
  }
  const files = folders().map((folder) => join(folder, ADDON))
  const forbidden = files.find(isForbidden)
  if (forbidden !== undefined) return failed(`The sigshield addon ${forbidden} can't be loaded. ${FORBIDDEN}`)
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

const machines: Readonly<Record<number, string>> = { 62: 'x64', 183: 'arm64' }

/** The system that an addon was linked for, by the libc that it names, or its machine; undefined where that can't be told. */
function madeFor(file: string): string | undefined {
  const content = readFileSync(file)
  if (content.length < 64 || content.readUInt32BE(0) !== 0x7f454c46) return undefined
  const arch = machines[content.readUInt16LE(18)]
  const kind = content.includes('\0libc.so.6\0') ? 'glibc' : content.includes('\0libc.') ? 'musl' : undefined
  return arch && kind && `linux-${arch}-${kind}`
}

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
  if (isForbidden(file)) return failed(`${said} ${FORBIDDEN}`, cause)
  if (process.platform === 'linux' && /failed to map segment|Operation not permitted/.test(said)) {
    const where = `findmnt --target ${quoted(file)}`
    const causes = `Its file system is mounted noexec (\`${where}\`), a policy forbids it, or no memory is left (\`ulimit -v\`)`
    return failed(`${said} ${causes}.`, cause)
  }
  const made = process.platform === 'linux' ? madeFor(file) : undefined
  if (made !== undefined && made !== system()) {
    const other = made.endsWith(libc()) ? 'another machine' : 'another libc'
    return failed(
      `${said} It was made for ${made}, and this Node for ${system()}: node_modules came from a system with ${other}. ` +
        `${cureOf(file)}.`,
      cause,
    )
  }
  return failed(`${said} ${cureOf(file)}.`, cause)
}

/** It is an addon of another version of the library; `where` tells by what. */
export function outdated(where: string): Refusal {
  const file = addonFile() ?? ''
  return failed(
    `The sigshield addon ${file} was built from another version of the library: they differ at '${where}'. ${cureOf(file)}.`,
  )
}
