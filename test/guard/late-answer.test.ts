/** The first start of a file, when the guard in it can't answer yet: a library of the program's own is not through. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SpawnProtectedOptions, spawnProtected } from 'sigshield'
import { afterAll, expect, it } from 'vitest'
import { ended, line, SIGINT } from '../support/processes.js'
import { signalState } from '../support/signal-state.js'

const folder = mkdtempSync(join(tmpdir(), 'sigshield-'))
afterAll(() => rmSync(folder, { recursive: true }))

function compiled(name: string, code: string, ...flags: string[]): string {
  const file = join(folder, name)
  writeFileSync(`${file}.c`, code)
  execFileSync('cc', ['-o', file, `${file}.c`, ...flags])
  return file
}

// What a program is linked with is initialized before what is preloaded.
const library = compiled(
  'libwaiting.so',
  `#include <unistd.h>
  __attribute__((constructor)) static void wait(void) {
    char byte;
    if (read(0, &byte, 1) < 0) _exit(1);
  }
  int waited = 1;`,
  '-shared',
  '-fPIC',
)
// By this one a program calls libc past the guard.
const past = compiled(
  'past.so',
  `#define _GNU_SOURCE
  #include <dlfcn.h>
  #include <signal.h>
  int sigaction(int signal, const struct sigaction* action, struct sigaction* old) {
    void* libc = dlopen("libc.so.6", RTLD_NOW);
    return ((int (*)(int, const struct sigaction*, struct sigaction*))dlsym(libc, "sigaction"))(signal, action, old);
  }`,
  '-shared',
  '-fPIC',
)
let count = 0

/** Each is a file of its own, as what is known of one is known for ever. It says a line at its end. */
function start(options: SpawnProtectedOptions) {
  count += 1
  const code = `extern int waited;
  #include <stdio.h>
  int main(void) { puts("runs"); fflush(stdout); return waited + getchar() < 0; }`
  const program = compiled(`program${count}`, code, library, `-Wl,-rpath,${folder}`)
  return ended(spawnProtected(program, { stdio: ['pipe', 'pipe', 'inherit'], ...options }))
}

it.each(['guard', 'auto'] as const)('it is foretold, and does not hold up this process: %s', async (enforce) => {
  const child = start({ enforce: enforce === 'auto' ? enforce : 'guard' })
  const before = child.enforced
  child.stdin?.write('.')
  expect(await line(child.stdout)).toBe('runs')
  // The filter, where that is meant.
  expect([before, child.enforced]).toEqual(enforce === 'auto' ? ['filter', 'filter'] : ['guard', 'guard'])
  expect(signalState(child.pid as number).ignored).toContain(SIGINT)
})

it('a program in which it is not in force is ended when that is known, and told as a start that was refused', async () => {
  const child = start({ enforce: 'guard', env: { ...process.env, LD_PRELOAD: past } })
  expect(child.enforced).toBe('guard')
  const end = new Promise((resolve) => child.once('exit', (...how) => resolve(how)))
  const refused = once(child, 'error')
  child.stdin?.write('.')
  const message = expect.stringMatching(/not in force when the program began/)
  expect(await refused).toMatchObject([{ code: 'ENOTSUP', step: 'guard', message }])
  expect(child.enforced).toBe(false)
  expect(await end).toEqual([null, 'SIGKILL'])
})

it('one that ends before it has answered has none', async () => {
  const child = start({ enforce: 'guard' })
  const refused = once(child, 'error')
  child.kill('SIGKILL')
  expect(await refused).toMatchObject([{ code: 'ENOTSUP', step: 'guard' }])
})
