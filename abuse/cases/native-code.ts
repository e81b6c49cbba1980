import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { access, copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SYSCALLS, evidence } from '../attacks.ts'
import type { AbuseCase, AbuseWorld } from '../case.ts'

/** Calls of the kernel that nothing in a sandbox has a use for, by their numbers on x86-64 and arm64: written down here once more, on purpose. */
const FORBIDDEN = {
  ptrace: [101, 117],
  syslog: [103, 116],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  unshare: [272, 97],
  setns: [308, 268],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  pidfd_getfd: [438, 438],
  process_madvise: [440, 440],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  kcmp: [312, 272],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  memfd_secret: [447, 447],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  clone3: [435, 435],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  acct: [163, 89],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  fanotify_init: [300, 262],
  fanotify_mark: [301, 263],
  shmget: [29, 194],
  semget: [64, 190],
  msgget: [68, 186],
  mq_open: [240, 180],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  clock_adjtime: [305, 266],
  adjtimex: [159, 171],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  mbind: [237, 235],
  set_mempolicy: [238, 237],
  move_pages: [279, 239],
  migrate_pages: [256, 238],
  lookup_dcookie: [212, 18],
  vhangup: [153, 58],
  personality: [135, 92],
  listmount: [458, 458],
  statmount: [457, 457],
  'open_tree_attr and later': [467, 467],
  'none at all': [999, 999],
} as const

const WALK = `${SYSCALLS}
def handler(input):
    answers = {}
    for name, numbers in input.items():
        for arguments in ((-1,) * 6, (0,) * 6):
            # Zero is an order that personality may be given: it changes nothing.
            if name == "personality" and arguments[0] in (0, -1): arguments = (0x0040000, 0, 0, 0, 0, 0)
            answers[f"{name} {arguments[0]}"] = call(tuple(numbers), *arguments)
    return answers`

function refused(output: unknown): void {
  const answers = Object.entries(output as Record<string, string>)
  assert.ok(answers.length >= Object.keys(FORBIDDEN).length)
  const through = answers.filter(([, how]) => how !== 'EPERM' && how !== 'ENOSYS')
  assert.deepEqual(through, [], 'the filter lets them through to the kernel')
}

/** Code that asks the kernel by itself. */
export const NATIVE_CODE: readonly AbuseCase[] = [
  {
    number: 55,
    title: 'native code: addons, ctypes, system calls by their numbers',
    ...evidence(WALK, refused, FORBIDDEN),
    world: addon,
  },
]

const HEADERS = '/usr/include/unistd.h'
const COMPILERS = ['/usr/bin/gcc', '/usr/bin/cc', '/usr/bin/clang']

/** In C, in the process of the Node host itself. Its initialiser is called as soon as it is loaded, whether it is an addon or not. */
const SOURCE = `
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
static const int numbers[] = { NUMBERS };
__attribute__((constructor)) static void start(void) {
  FILE *out = fopen("/tmp/answers", "w");
  for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    errno = 0;
    long result = syscall(numbers[i], -1, -1, -1, -1, -1, -1);
    fprintf(out, "%d %s\\n", numbers[i], result == -1 ? errno == EPERM ? "EPERM" : errno == ENOSYS ? "ENOSYS" : "other" : "ok");
  }
  fclose(out);
}
`

/** Where there is a compiler: an addon, from a bundle. Without one, a library of the system in an addon's place. */
async function addon(world: AbuseWorld): Promise<void> {
  const files: Record<string, string> = { 'index.mjs': LOADER }
  const bundle = await world.bundle(files)
  const path = join(bundle, 'addon.node')
  const compiler = await firstOf(COMPILERS)
  const compiled = compiler !== null && (await firstOf([HEADERS])) !== null
  if (compiled) {
    const arm = process.arch === 'arm64' ? 1 : 0
    const numbers = Object.entries(FORBIDDEN).flatMap(([name, known]) => (name === 'personality' ? [] : [known[arm]]))
    const folder = await world.folder()
    const source = join(folder, 'addon.c')
    await writeFile(source, SOURCE.replace('NUMBERS', numbers.join(', ')))
    // What it writes meanwhile is no business of cases that look at /tmp.
    const env = { ...process.env, TMPDIR: folder }
    await promisify(execFile)(compiler, ['-shared', '-fPIC', '-O1', '-o', path, source], { env })
  } else await copyFile(await libc(), path)
  const session = await world.node(LOADER, { bundle })
  const { output, result } = await world.invoke(session, {})
  assert.equal(result.status, 'succeeded', JSON.stringify(result))
  const { loaded, answers } = output as { loaded: string; answers: string[] }
  assert.match(loaded, /ERR_DLOPEN_FAILED|did not self-register/)
  if (!compiled) return
  assert.ok(answers.length > 60, `${answers.length} calls were tried`)
  assert.deepEqual(
    answers.filter((line) => !/ (EPERM|ENOSYS)$/.test(line)),
    [],
  )
}

const LOADER = `
import { existsSync, readFileSync } from 'node:fs'
export function execute() {
  let loaded = 'as an addon'
  try { process.dlopen({ exports: {} }, '/skill/addon.node') } catch (error) { loaded = error.code + ' ' + error.message }
  const answers = existsSync('/tmp/answers') ? readFileSync('/tmp/answers', 'utf8').trim().split('\\n') : []
  return { loaded, answers }
}`

/** As it is mapped here. */
async function libc(): Promise<string> {
  return /\s(\/\S*libc\.so\S*)$/m.exec(await readFile('/proc/self/maps', 'utf8'))![1]!
}

async function firstOf(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const there = await access(path).then(
      () => true,
      () => false,
    )
    if (there) return path
  }
  return null
}
