# SCRAM-SHA-256 over POP3: v= goes out as one more challenge (RFC 5034 §4: +OK has no room for it).
apop: no

S: +OK POP3 server ready
C: AUTH SCRAM-SHA-256 biwsbj1tcm9zZSxyPWNsaWVudG5vbmNl
S: + cj1jbGllbnRub25jZWRtbS1jdkg4clE2U3JkUTNkVXF2aXB3TCxzPU1ERXlNelExTmpjNE9XRmlZMlJsWmc9PSxpPTY0
C: Yz1iaXdzLHI9Y2xpZW50bm9uY2VkbW0tY3ZIOHJRNlNyZFEzZFVxdmlwd0wscD1vUER5emxiY3dlK081aFY2QnRMTXE1VUVZVCtLbDMzeC91TmdJVWxhSDJnPQ==
S: -ERR [AUTH] wrong name or password  # the wrong password
C: AUTH SCRAM-SHA-256 biwsbj1ub2JvZHkscj1jbGllbnRub25jZQ==
S: + cj1jbGllbnRub25jZWhqZkpWcEJLRzQrbFBlM3BCUWVGUVJGOSxzPU1ERXlNelExTmpjNE9XRmlZMlJsWmc9PSxpPTY0
C: Yz1iaXdzLHI9Y2xpZW50bm9uY2VoamZKVnBCS0c0K2xQZTNwQlFlRlFSRjkscD1mUW9TTUtzYjk4RW1ySCtqZGhnd0k2dkpGbVRERVJTNnNTOTVkbWg5NW5rPQ==
S: -ERR [AUTH] wrong name or password  # RFC 5802 §9: an unknown name goes the same way
C: AUTH scram-sha-256
S< + \r\n
C: biwsbj1tcm9zZSxyPWNsaWVudG5vbmNl
S: + cj1jbGllbnRub25jZTdPM0t5N0RJQTFSdWVrQUJ1end2NE1lLSxzPU1ERXlNelExTmpjNE9XRmlZMlJsWmc9PSxpPTY0
C: Yz1iaXdzLHI9Y2xpZW50bm9uY2U3TzNLeTdESUExUnVla0FCdXp3djRNZS0scD1HZTJxdmJpczhhQnJFK0o0c0tjYXphUnd1M3B4M1Zqb1k0RytLQ1JlaEI4PQ==
S: + dj1CanppN3E3UEU5ZUlJaElqNWpxMlFCT3N2T3AyUVlDQkw4bmhUb2dXeW5NPQ==
C:
S: +OK mrose's maildrop has 2 messages (320 octets)
C: QUIT
S: +OK dewey POP3 server signing off (2 messages left)
E:
