import { z } from 'zod'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

export const metricsRoutes = ({ metrics }: Pick<Services, 'metrics'>): Route[] => [
  route({
    id: 'getMetrics',
    tag: 'operator',
    method: 'GET',
    path: '/metrics',
    access: 'metrics.read',
    summary: 'What the server measured of itself, for Prometheus',
    description: 'No label holds anything that a tenant chose. docs/operations.md lists the metrics.',
    responses: {
      200: { description: 'The text format, version 0.0.4.', also: { 'text/plain': z.string() } },
    },
    errors: [],
    async handle() {
      const { type, text } = await metrics()
      return { status: 200, content: text, type }
    },
  }),
]
