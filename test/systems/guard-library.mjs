/** The guard for another system than this one, beside the addon that is made for it. */
import { dirname, join } from 'node:path'
import { root, run } from './machine.mjs'

/** As binding.gyp has them. */
export const guardFlags = {
  compiling: ['-std=c17', '-O2', '-fvisibility=hidden', '-fno-stack-protector', '-fPIC', '-Inative'],
  linking: ['-shared', '-nostdlib', '-s', '-Wl,-z,nodelete', '-Wl,-z,now'],
}

/** Compiles with `compiler`, a C compiler and its own arguments. */
export function buildGuard(/** @type {string[]} */ [compiler = '', ...args], /** @type {string} */ addon, env = {}) {
  const file = join(dirname(addon), 'sigshield-guard.so')
  const { compiling, linking } = guardFlags
  run(compiler, [...args, ...compiling, ...linking, 'native/guard/guard.c', '-o', file], {
    cwd: root,
    env: { ...process.env, ...env },
  })
}
