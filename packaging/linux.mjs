/** The files for Linux: the addon and the guard, for both machines and both libcs. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { compilation, nativeSources } from '../test/systems/addon.mjs'
import { guardFlags } from '../test/systems/guard-library.mjs'
import { runZig } from './zig.mjs'

/** As lib/native/system.ts calls them, and zig. 2.17: the oldest glibc for which anybody builds a Node that is supported here. */
export const targets = /** @type {const} */ ({
  'linux-arm64-glibc': 'aarch64-linux-gnu.2.17',
  'linux-arm64-musl': 'aarch64-linux-musl',
  'linux-x64-glibc': 'x86_64-linux-gnu.2.17',
  'linux-x64-musl': 'x86_64-linux-musl',
})

/** @typedef {keyof typeof targets} LinuxSystem */

const flagsFor = (/** @type {LinuxSystem} */ system) => ['-target', targets[system], '-fno-sanitize=all']
const cxx = (/** @type {LinuxSystem} */ system) => ['c++', ...flagsFor(system), ...compilation(), '-fno-exceptions']

/** Nothing of the C++ library in it is seen outside, nor replaced by that of Node. */
const linking = ['-shared', '-s', '-Wl,-z,nodelete', '-Wl,--gc-sections', '-Wl,--version-script=packaging/exports.map']

/** Builds sigshield.node and sigshield-guard.so into the folder. */
export function buildLinux(/** @type {LinuxSystem} */ system, /** @type {string} */ folder) {
  mkdirSync(folder, { recursive: true })
  runZig([...cxx(system), ...linking, ...nativeSources(), '-o', join(folder, 'sigshield.node')])
  const object = join(folder, 'guard.o')
  runZig(['cc', ...flagsFor(system), ...guardFlags.compiling, '-c', 'native/guard/guard.c', '-o', object])
  // By the linker alone: zig itself would add a library of its own, whose memcpy would become that of every guarded program.
  const layout = ['-z', 'nodelete', '-z', 'now', '-z', 'noexecstack', '--hash-style=both', '--build-id=none']
  runZig(['ld.lld', '-shared', '-s', ...layout, object, '-o', join(folder, 'sigshield-guard.so')])
  rmSync(object)
}

/** The object of the child half, as it is in the addon. */
export function buildChildHalf(/** @type {LinuxSystem} */ system, /** @type {string} */ object) {
  runZig([...cxx(system), '-c', 'native/platform/linux/child.cc', '-o', object])
}
