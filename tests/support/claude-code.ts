import { execFile } from 'node:child_process'
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const WANTED = join(ROOT, 'scripts/claude-code')
const FOLDER = join(ROOT, '.tools/claude-code')
const NPM = join(ROOT, 'node_modules/npm/bin/npm-cli.js')

/** Where Claude Code is, and the module of its SDK; or why it is not here. */
export type ClaudeCode = { readonly binary: string; readonly sdk: string } | { readonly missing: string }

/**
 * Installs the real Claude Code and its SDK into .tools, once, with the digests of scripts/claude-code/package-lock.json. They are no
 * dependencies: its program has 380 MB.
 */
export async function claudeCode(): Promise<ClaudeCode> {
  const { platform, arch } = process
  if (platform !== 'linux' || !['x64', 'arm64'].includes(arch))
    return { missing: `it is not tried on ${platform} ${arch}` }
  const program = `node_modules/@anthropic-ai/claude-agent-sdk-linux-${arch}/claude`
  const found = {
    binary: join(FOLDER, program),
    sdk: join(FOLDER, 'node_modules/@anthropic-ai/claude-agent-sdk/sdk.mjs'),
  }
  try {
    if (!(await isInstalled())) await install()
    await promisify(execFile)(found.binary, ['--version'], { env: { HOME: FOLDER }, timeout: 60_000 })
    return found
  } catch (error) {
    const { message, stderr } = error as { message: string; stderr?: string }
    return {
      missing: `it cannot be installed and started here: ${(stderr || message).trim().split('\n').slice(-3).join(' ')}`,
    }
  }
}

async function isInstalled(): Promise<boolean> {
  const [wanted, present] = await Promise.all(
    [join(WANTED, 'package-lock.json'), join(FOLDER, 'done.json')].map((file) =>
      readFile(file, 'utf8').catch(() => null),
    ),
  )
  return wanted === present
}

async function install(): Promise<void> {
  await rm(FOLDER, { recursive: true, force: true })
  await mkdir(FOLDER, { recursive: true })
  for (const name of ['package.json', 'package-lock.json', '.npmrc'])
    await copyFile(join(WANTED, name), join(FOLDER, name))
  const args = [NPM, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  await promisify(execFile)(process.execPath, args, { cwd: FOLDER, timeout: 300_000 })
  await copyFile(join(WANTED, 'package-lock.json'), join(FOLDER, 'done.json'))
}
