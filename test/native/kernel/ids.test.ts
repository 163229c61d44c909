/** Starts that change ids: what the child loses, and what its parent keeps. */
import childProcess from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type SpawnProtectedOptions, spawnProtected } from 'sigshield'
import { describe, expect, it } from 'vitest'
import { probe, temporaryFolder } from '../../support/processes.js'

const NOBODY = 65534

/** A parent of uid and gid 65533 with these capabilities, which its programs keep, as systemd's AmbientCapabilities. */
async function parentWith(capabilities: string[], groups: string, code: string, env: object = {}): Promise<unknown> {
  const caps = capabilities.map((name) => `+${name}`).join(',') || '-all'
  const ids = ['--reuid', '65533', '--regid', '65533', groups ? `--groups=${groups}` : '--clear-groups']
  const script = `import childProcess from 'node:child_process'
    import { once } from 'node:events'
    import { statSync } from 'node:fs'
    import { spawnProtected } from 'sigshield'
    async function output(child) {
      let text = ''
      for await (const chunk of child.stdout ?? []) text += chunk
      return text.trim().replace(/\\s+/g, ' ')
    }
    function refusal(start) {
      try { const child = start(); return new Promise((resolve) => child.on('error', ({ code, step }) => resolve({ code, step }))) }
      catch ({ code, step }) { return { code, step } }
    }
    ${code}`
  const { stdout } = await promisify(childProcess.execFile)(
    'setpriv',
    [
      ...ids,
      '--inh-caps',
      caps,
      ...(capabilities.length > 0 ? ['--ambient-caps', caps] : []),
      process.execPath,
      '--input-type=module',
      '-e',
      script,
    ],
    { env: { ...process.env, ...env } },
  )
  return JSON.parse(stdout)
}

function groupsOf(pid: string): number[] {
  const [, groups = ''] = /^Groups:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return groups.split(' ').filter(Boolean).map(Number)
}

async function probed(options: SpawnProtectedOptions) {
  const report = join(temporaryFolder(), 'report')
  childProcess.execFileSync('chmod', ['777', join(report, '..')])
  await once(spawnProtected(probe, [report], { stdio: 'ignore', ...options }), 'exit')
  return JSON.parse(readFileSync(report, 'utf8'))
}

describe('the parent keeps its dumpable flag', () => {
  // The kernel gives the files of a process that may not be dumped to root (proc(5)).
  const start = `const owner = () => statSync('/proc/self/auxv').uid
    const before = owner()
    await once(spawnProtected('true', { stdio: 'ignore', uid: ${NOBODY}, gid: ${NOBODY} }), 'exit')
    console.log(JSON.stringify([before, owner()]))`

  it('when a child changes its ids', async () => {
    expect(await parentWith(['setuid', 'setgid'], '', start)).toEqual([65533, 65533])
  })

  it('and loses it when the child shares its memory (the control)', async () => {
    const env = { SIGSHIELD_DEBUG_CLONE: 'vfork' }
    expect(await parentWith(['setuid', 'setgid'], '', start, env)).toEqual([65533, 0])
  })
})

describe('a refusal is told through a copy of the memory as well', () => {
  it.each([
    [
      { uid: NOBODY, cwd: '/no/such' },
      { code: 'ENOENT', step: 'chdir' },
    ],
    [
      { gid: NOBODY, file: '/no/such' },
      { code: 'ENOENT', step: 'execve' },
    ],
    [
      { groups: [], uid: -1 },
      { code: 'EINVAL', step: 'setresuid' },
    ],
  ])('%j', async (options, expected) => {
    const { file = 'true', ...rest } = options as { file?: string }
    const refusal = await new Promise((resolve) => {
      try {
        spawnProtected(file, rest).on('error', resolve)
      } catch (error) {
        resolve(error)
      }
    })
    expect(refusal).toMatchObject(expected)
  })

  it('of an unprivileged parent', async () => {
    const code = `console.log(JSON.stringify([
      await refusal(() => spawnProtected('true', { uid: 0 })),
      await refusal(() => spawnProtected('true', { gid: 0 })),
      await refusal(() => spawnProtected('true', { groups: [] })),
    ]))`
    expect(await parentWith([], '', code)).toEqual([
      { code: 'EPERM', step: 'setresuid' },
      { code: 'EPERM', step: 'setresgid' },
      { code: 'EPERM', step: 'setgroups' },
    ])
  })
})

describe('another uid does not keep what was the parent’s', () => {
  it('supplementary groups: nothing starts where they can’t be dropped', async () => {
    const code = `console.log(JSON.stringify([
      await refusal(() => spawnProtected('id', ['-G'], { uid: ${NOBODY} })),
      await output(childProcess.spawn('id', ['-G'], { uid: ${NOBODY} })),
      await output(spawnProtected('id', ['-G'], { uid: 65533, gid: 65533 })),
    ]))`
    // child_process is the control. Its own ids a process may always name.
    const refused = { code: 'EPERM', step: 'setgroups' }
    expect(await parentWith(['setuid'], '4,27', code)).toEqual([refused, '65533 4 27', '65533 4 27'])
  })

  it('supplementary groups: none to lose', async () => {
    const code = `console.log(JSON.stringify(await output(spawnProtected('id', ['-G'], { uid: ${NOBODY} }))))`
    expect(await parentWith(['setuid'], '', code)).toBe('65533')
  })

  it('ambient capabilities', async () => {
    const code = `const args = ['-E', '^Cap(Prm|Amb):', '/proc/self/status']
      console.log(JSON.stringify([
        await output(spawnProtected('grep', args, { uid: ${NOBODY}, gid: ${NOBODY} })),
        await output(childProcess.spawn('grep', args, { uid: ${NOBODY}, gid: ${NOBODY} })),
        await output(spawnProtected('grep', args, { uid: 65533 })),
      ]))`
    const both = 'CapPrm: 00000000000000c0 CapAmb: 00000000000000c0'
    // child_process is the control; a child that stays who it was keeps them.
    expect(await parentWith(['setuid', 'setgid'], '', code)).toEqual([both.replaceAll('c0', '00'), both, both])
  })
})

describe('groups', () => {
  it.each([
    [{}, groupsOf('self')],
    [{ groups: undefined, uid: NOBODY, gid: NOBODY }, []],
    [{ groups: [] }, []],
    [{ groups: [4, 27] }, [4, 27]],
    [{ groups: [4, 2 ** 32 - 2], uid: NOBODY, gid: NOBODY }, [4, 2 ** 32 - 2]],
    [{ groups: Array.from({ length: 40 }, (_, i) => i + 1) }, Array.from({ length: 40 }, (_, i) => i + 1)],
  ])('%j', async (options, groups) => {
    expect((await probed(options)).groups).toEqual(groups)
  })

  it.each([
    ['4', 'ERR_INVALID_ARG_TYPE', 'The "options.groups" property must be an array of group ids. Received \'4\''],
    [['4'], 'ERR_INVALID_ARG_TYPE', 'The "options.groups[0]" property must be of type number. Received \'4\''],
    [
      [1, -1],
      'ERR_OUT_OF_RANGE',
      'The value of "options.groups[1]" is out of range. It must be an integer >= 0 && <= 4294967294. Received -1',
    ],
    [
      [2 ** 32 - 1],
      'ERR_OUT_OF_RANGE',
      'The value of "options.groups[0]" is out of range. It must be an integer >= 0 && <= 4294967294. Received 4294967295',
    ],
  ])('%j is refused', (groups, code, message) => {
    expect(() => spawnProtected('true', { groups } as object)).toThrow(expect.objectContaining({ code, message }))
  })
})
