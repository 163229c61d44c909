/** The files for Linux: the addon and the guard, for both machines and both libcs. */
import { mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { compilation, nativeSources } from '../test/systems/addon.mjs'
import { runZig, zig } from './zig.mjs'

/** As lib/native/system.ts calls them, and zig. 2.17: the oldest glibc for which anybody builds a Node that is supported here. */
export const targets = /** @type {const} */ ({
  'linux-arm64-glibc': 'aarch64-linux-gnu.2.17',
  'linux-arm64-musl': 'aarch64-linux-musl',
  'linux-x64-glibc': 'x86_64-linux-gnu.2.17',
  'linux-x64-musl': 'x86_64-linux-musl',
})

/** @typedef {keyof typeof targets} LinuxSystem */

const cxx = (/** @type {LinuxSystem} */ system) => [
  ...['c++', '-target', targets[system], '-fno-sanitize=all'],
  ...[...compilation(), '-fno-exceptions'],
]

/** Nothing of the C++ library in it is seen outside, nor replaced by that of Node. */
const linking = ['-shared', '-s', '-Wl,-z,nodelete', '-Wl,--gc-sections', '-Wl,--version-script=packaging/exports.map']

/** As binding.gyp has it. */
const guardCompilation = ['-std=c17', '-O2', '-fvisibility=hidden', '-fno-stack-protector', '-fPIC', '-Inative', '-w']
const guardLinking = ['-z', 'nodelete', '-z', 'now', '-z', 'noexecstack', '--hash-style=both', '--build-id=none']

/** Of the guard, for either libc: what it takes of them is the same in both. */
function guardTarget(/** @type {LinuxSystem} */ system) {
  const isArm64 = system.includes('arm64')
  const [machine, family] = isArm64 ? ['aarch64', 'aarch64'] : ['x86_64', 'x86']
  const kinds = [`${machine}-linux-musl`, 'generic-musl', `${family}-linux-any`, 'any-linux-any']
  const headers = ['include', ...kinds.map((kind) => `libc/include/${kind}`)]
  return [
    ...['-target', `${machine}-linux-musl`, '-nostdinc'],
    ...headers.flatMap((folder) => ['-isystem', join(dirname(zig()), 'lib', folder)]),
    // Atomics that choose at run time stand in a library that it is not linked with.
    ...(isArm64 ? ['-mno-outline-atomics'] : []),
  ]
}

/** Builds sigshield.node and sigshield-guard.so into the folder. */
export function buildLinux(/** @type {LinuxSystem} */ system, /** @type {string} */ folder) {
  mkdirSync(folder, { recursive: true })
  runZig([...cxx(system), ...linking, ...nativeSources(), '-o', join(folder, 'sigshield.node')])
  // By clang and its linker alone: zig's own drivers pass on no such flag, and add a library whose memcpy would become that of
  // every guarded program.
  const object = join(folder, 'guard.o')
  runZig(['clang', ...guardTarget(system), ...guardCompilation, '-c', 'native/guard/guard.c', '-o', object])
  runZig(['ld.lld', '-shared', '-s', ...guardLinking, object, '-o', join(folder, 'sigshield-guard.so')])
  rmSync(object)
}

/**
 * The object of one of native/platform/linux, as it is in the addon: 'child' is the child half.
 * @param {LinuxSystem} system
 * @param {string} name
 * @param {string} object
 */
export function buildObject(system, name, object) {
  runZig([...cxx(system), '-c', `native/platform/linux/${name}.cc`, '-o', object])
}
