# RFC 4954: AUTH, on a port that lets passwords travel in clear (tests, loopback).
users: tim:secret no-mail:secret nobody-home:secret
plaintext_auth: yes
limits: errors=100 logins=3

S~ 220 *
C: AUTH PLAIN AHRpbQBzZWNyZXQ=
S: 503 5.5.1 Greet first, with EHLO
C: EHLO c.test
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S: 250 AUTH SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN
C: AUTH
S~ 501 5.5.4 *
C: AUTH PLAIN one two
S~ 501 5.5.4 *
C: AUTH GSSAPI  # §4: unknown mechanism
S~ 504 5.5.4 *
C: AUTH PLAIN AHRpbQBzZWNyZXQ  # §4: the padding is missing
S: 501 5.5.2 That is not base64; the log-in is off
C: AUTH PLAIN =AAA
S~ 501 5.5.2 *
C: AUTH PLAIN =  # an empty message, which is none of PLAIN's
S~ 501 5.5.2 *
C: AUTH CRAM-MD5 AAAA  # §4: the server begins here
S: 501 5.7.0 CRAM-MD5 begins with the server; leave out the initial response
C: AUTH PLAIN
S< 334 \r\n
C: *  # §4: cancelled
S: 501 5.7.0 The log-in is off, as you wish
C: AUTH PLAIN
S< 334 \r\n
C: NOOP!
S~ 501 5.5.2 *
C: AUTH PLAIN
S< 334 \r\n
C< \{13000:A}\r\n
S: 500 5.5.6 The line is too long; the log-in is off
C< AUTH PLAIN \{13000:A}\r\n
S: 500 5.5.6 The line of the log-in is too long
C< AUTH PLAIN AHRpbQB3\ncm9uZw==\r\n
S~ 500 5.5.2 *
C: NOOP
S~ 250 *
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C: bm9ib2R5LWhvbWU=
S: 334 UGFzc3dvcmQ6
C: c2VjcmV0
S: 454 4.7.0 Nobody can be logged in just now; the password may be right, try again later
C: AUTH LOGIN bm8tbWFpbA==
S: 334 UGFzc3dvcmQ6
C: c2VjcmV0
S: 535 5.7.1 This account or password is not allowed to send mail here
C: AUTH plain AHRpbQB3cm9uZw==
S: 535 5.7.8 The name or the password is wrong
C: MAIL FROM:<s@x.test>
S~ 250 *
C: AUTH PLAIN AHRpbQBzZWNyZXQ=  # §4: not within a transaction
S: 503 5.5.1 Log in before MAIL, or RSET first
C: RSET
S~ 250 *
C: AUTH PLAIN AHRpbQBzZWNyZXQ=
S: 235 2.7.0 Logged in
C: AUTH PLAIN AHRpbQBzZWNyZXQ=  # §4: once
S: 503 5.5.1 You are logged in already
C: MAIL FROM:<e=mc2@example.com> AUTH=e+3Dmc2@example.com  # §5.1
S~ 250 2.1.0 *
C: RSET
S~ 250 *
C: MAIL FROM:<john+@example.org> AUTH=<>
S~ 250 2.1.0 *

# §9: not before the third failure.
S2~ 220 *
C2: EHLO c.test
S2~ 250-*
S2~ 250-*
S2~ 250-*
S2~ 250-*
S2~ 250-*
S2~ 250-*
S2~ 250-*
S2~ 250-*
S2~ 250-*
S2~ 250-*
S2~ 250-*
S2~ 250 *
C2: AUTH PLAIN AHRpbQB3cm9uZw==
S2~ 535 5.7.8 *
C2: AUTH CRAM-MD5
S2: 334 PEFUMW90RjFuSTdGZ2Vyc01pbDU5aFdBRy4xNzAwMDAwMDAwQG1haWwuZXhhbXBsZS50ZXN0Pg==
C2: dGltIDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw
S2~ 535 5.7.8 *
C2: AUTH LOGIN AA==
S2~ 501 5.5.2 *
C2: AUTH PLAIN AHRpbQB3cm9uZw==
S2~ 535 5.7.8 *
S2: 421 4.7.0 mail.example.test Too many failed log-ins; check the password and come back
E2:

S3~ 220 *
C3: EHLO c.test
S3~ 250-*
S3~ 250-*
S3~ 250-*
S3~ 250-*
S3~ 250-*
S3~ 250-*
S3~ 250-*
S3~ 250-*
S3~ 250-*
S3~ 250-*
S3~ 250-*
S3~ 250 *
C3: AUTH SCRAM-SHA-256 biwsbj10aW0scj1jbGllbnQ=
S3: 334 cj1jbGllbnRLZ2QrMjJJUkZzckk5VHlNM0w5LVJ6YkMscz1jMkZzZEE9PSxpPTQwOTY=
C3: Yz1iaXdzLHI9Y2xpZW50S2dkKzIySVJGc3JJOVR5TTNMOS1SemJDLHA9UzRPWlNLbEVnMUQ2WHc3enRoUmk1WUxGMnYzMjJQUlFKR0hFUXBYN3VCQT0=
S3: 334 dj1yNURQVnI1NFRlWHQ3VmxHamo2WGxjUEp1Q25uaXh4UU1kTk92MGU0aFZrPQ==  # RFC 4954 §4: SMTP has no data with success, so one more challenge
C3:
S3: 235 2.7.0 Logged in

S4~ 220 *
C4: EHLO c.test
S4~ 250-*
S4~ 250-*
S4~ 250-*
S4~ 250-*
S4~ 250-*
S4~ 250-*
S4~ 250-*
S4~ 250-*
S4~ 250-*
S4~ 250-*
S4~ 250-*
S4~ 250 *
C4: AUTH CRAM-MD5
S4: 334 PEtnZCsyMklSRnNySTlUeU0zTDktUnpiQy4xNzAwMDAwMDAwQG1haWwuZXhhbXBsZS50ZXN0Pg==
C4: dGltIDNjNmFkYzk4YWFiNTViNDBkYmM5NDZlYmJiYjU4MDg4
S4: 235 2.7.0 Logged in
