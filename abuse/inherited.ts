/** What a pass is started with besides what it needs: an open file and a variable, that no sandbox may see. */
export const INHERITED = {
  file: 'inherited-by-the-server',
  variable: 'ABUSE_DATABASE_URL',
  secret: 'postgres://owner:of-the-server-alone@db.internal/skillet',
} as const
