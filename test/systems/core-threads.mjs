/** Runs core-threads.cc, built with a sanitizer. */
import { spawnSync } from 'node:child_process'

/** What building it takes. */
export const packages = { cmake: 'cmake', gcc: 'g++', '/usr/include/uv.h': 'libuv1-dev' }

const ROUNDS = 50

/** Far longer than it takes. */
const LONGEST_MS = 600_000

/**
 * It must find nothing; and, asked for a mistake, what the sanitizer says of it.
 * @param {string} program
 * @param {NodeJS.ProcessEnv} options the sanitizers'
 * @param {Readonly<Record<string, RegExp>>} mistakes
 */
export function checkCore(program, options, mistakes) {
  const run = (/** @type {string[]} */ ...args) => {
    // Sanitizers lay out memory themselves: without chance they always can.
    const { status, signal, stdout, stderr } = spawnSync('setarch', ['-R', program, String(ROUNDS), ...args], {
      env: { ...process.env, ...options },
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
      timeout: LONGEST_MS,
      killSignal: 'SIGKILL',
    })
    return { isClean: status === 0 && stdout === 'done\n', text: `${stdout}${stderr}${signal ?? ''}` }
  }
  const { isClean, text } = run()
  if (!isClean) throw new Error(`the core alone:\n${text}`)
  console.log('  ok  the core alone, four threads')
  for (const [mistake, complaint] of Object.entries(mistakes)) {
    const found = run(mistake)
    if (found.isClean || !complaint.test(found.text)) throw new Error(`not found, ${mistake}:\n${found.text}`)
    console.log(`  ok  a mistake is found: ${mistake}`)
  }
}
