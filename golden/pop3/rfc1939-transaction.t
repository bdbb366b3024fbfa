# RFC 1939 §5, §7: every command of TRANSACTION, with the answers to what is no message.
plaintext: yes
apop: no

S: +OK POP3 server ready
C: APOP mrose c4c9334bac560ecc979e58001b3e22fb
S: -ERR not offered here
C: USER mrose
C: PASS tanstaaf
S: +OK now PASS
S: +OK mrose's maildrop has 2 messages (320 octets)
C: NOOP
S: +OK
C: list 2
S: +OK 2 200
C: LIST 3
S: -ERR no such message, only 2 messages in maildrop
C: LIST 0
S: -ERR no such message, only 2 messages in maildrop
C: UIDL
S: +OK unique-id listing follows
S: 1 0000006a0000000b
S: 2 QhdPYR:00WBw1Ph7x7               # a unique-id that an imported message brought
S: .
C: UIDL 1
S: +OK 1 0000006a0000000b
C: UIDL 3
S: -ERR no such message, only 2 messages in maildrop
C: TOP 1 0
S: +OK top of message follows
S: From: mrose
S: Subject: one
S:
S: .
C: TOP 1 1
S: +OK top of message follows
S: From: mrose
S: Subject: one
S:
S: ..
S: .
C: TOP 2 4294967295
S: +OK top of message follows
S: From: mrose
S: Subject: two
S:
S: ..
S: ...dots
S:
S~ xx*x
S: .                                  # RFC 1939 §7: more lines than there are: all of it
C: TOP 100 3
S: -ERR no such message, only 2 messages in maildrop
C: TOP 1
S: -ERR wrong arguments
C: DELE 1
S: +OK message 1 deleted
C: DELE 1
S: -ERR message 1 already deleted
C: RETR 1
S: -ERR message 1 already deleted     # RFC 1939 §5: any reference to it is an error
C: TOP 1 0
S: -ERR message 1 already deleted
C: LIST 1
S: -ERR message 1 already deleted
C: UIDL 1
S: -ERR message 1 already deleted
C: STAT
S: +OK 1 200                          # RFC 1939 §5: deleted ones are not counted
C: LIST
S: +OK 1 message (200 octets)
S: 2 200                              # numbers stay
S: .
C: UIDL
S: +OK unique-id listing follows
S: 2 QhdPYR:00WBw1Ph7x7
S: .
C: RSET
S: +OK maildrop has 2 messages (320 octets)
C: STAT
S: +OK 2 320
C: DELE 2
S: +OK message 2 deleted
C: QUIT
S: +OK dewey POP3 server signing off (1 message left)
E:
S2: +OK POP3 server ready
C2: USER mrose
C2: PASS tanstaaf
S2: +OK now PASS
S2: +OK mrose's maildrop has 1 message (120 octets)
C2: UIDL 1
S2: +OK 1 0000006a0000000b            # RFC 1939 §7: persists across sessions
C2: DELE 1
S2: +OK message 1 deleted
# The client goes without QUIT: RFC 1939 §6, nothing is removed (the stage keeps the lock, as nothing released it).
