# A log-in that is required comes in time, however busy the client seems; a greeting or a NOOP is none.
kind: submission

S~ 220 *
N: 200
C: NOOP
S~ 250 *
N: 99
C: NOOP
S~ 250 *
N: 10
C: NOOP
S~ 421 4.4.2 * No log-in came in time; closing
E:
