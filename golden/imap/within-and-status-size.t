# WITHIN (RFC 5032 §3) and STATUS=SIZE (RFC 8438). The messages came one and two seconds after the clock's beginning.
messages: 2

S~ * OK *
C: a LOGIN joe secret
S~ a OK *
C: b STATUS INBOX (SIZE MESSAGES)
S~ * STATUS INBOX (SIZE 296 MESSAGES 2)
S~ b OK *
C: c SELECT INBOX
S~ * 2 EXISTS
S~ *
S~ *
S~ *
S~ *
S~ *
S~ *
S~ *
S~ *
S~ * OK [ANNOTATIONS *] *
S~ c OK *
N: 61
C: d SEARCH YOUNGER 60                # message 1 is exactly sixty seconds old
S: * SEARCH 1 2
S: d OK SEARCH completed
C: e SEARCH OLDER 60
S: * SEARCH 1
S: e OK SEARCH completed
C: f SEARCH YOUNGER 59
S: * SEARCH 2
S: f OK SEARCH completed
C: g SEARCH OLDER 59
S: * SEARCH 1 2
S: g OK SEARCH completed
C: h SEARCH NOT YOUNGER 59
S: * SEARCH 1
S: h OK SEARCH completed
