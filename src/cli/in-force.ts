/** Whether what can be revoked and can expire is in force, in a word or two. */
export function stateOf(one: { readonly revoked_at: string | null; readonly expires_at: string | null }): string {
  if (one.revoked_at !== null) return `revoked ${one.revoked_at}`
  if (one.expires_at === null) return 'in force'
  return `${Date.parse(one.expires_at) > Date.now() ? 'until' : 'expired'} ${one.expires_at}`
}
