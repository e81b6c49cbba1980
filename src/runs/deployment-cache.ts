import type { Engine } from '../backends/ports.ts'
import type { Deployment } from '../model/skills.ts'

export interface DeploymentCache {
  /** @throws Error when a row refers to a deployment that does not exist, which the engine rules out. */
  get(tenant: string, id: string): Promise<Deployment>
}

/**
 * Deployments never change, so they are read once and shared: schema checks and sandboxes key on the object.
 * @param size How many are kept, least recently used out first. Default 500.
 */
export function createDeploymentCache(engine: Engine, size: number = 500): DeploymentCache {
  const kept = new Map<string, Deployment>()
  return {
    async get(tenant, id) {
      const found = kept.get(id) ?? (await engine.skills.findDeployment(tenant, id))
      if (found === null || found.tenant !== tenant) throw new Error(`Deployment ${id} of tenant ${tenant} is missing.`)
      const shared = kept.get(id) ?? found
      kept.delete(id)
      kept.set(id, shared)
      if (kept.size > size) kept.delete(kept.keys().next().value!)
      return shared
    },
  }
}
