# ANNOTATE-EXPERIMENT-1 (RFC 5257), with its examples.
messages: 3
mailboxes: drafts

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY * RIGHTS=kxten * ANNOTATE-EXPERIMENT-1 *] *
C: a SELECT INBOX (ANNOTATE)  # §4.2
S~ * 3 EXISTS
S~ * 3 RECENT
S~ * OK [UNSEEN 1] *
S~ * OK [UIDVALIDITY 1001] *
S~ * OK [UIDNEXT 4] *
S~ * FLAGS *
S~ * OK [PERMANENTFLAGS *] *
S~ * OK [HIGHESTMODSEQ *] *
S~ * OK [MAILBOXID *] *
S: * OK [ANNOTATIONS 16384] Largest annotation
S: a OK [READ-WRITE] SELECT completed
C: b STORE 1 ANNOTATION (/comment (value.priv "My new comment"))  # §4.5: silent
S: b OK STORE completed
C: c FETCH 1 (ANNOTATION (/comment value))  # §4.3
S: * 1 FETCH (ANNOTATION (/comment (value.priv "My new comment" value.shared NIL)))
S: c OK FETCH completed
C: d STORE 1 ANNOTATION (/comment (value.shared NIL))
S: d OK STORE completed
C: e STORE 1 ANNOTATION (/comment (value.priv "Get tix Tuesday") /altsubject (value.priv "Wots On"))
S: e OK STORE completed
C: f FETCH 1 (ANNOTATION ((/comment /altsubject) value))  # §4.4
S: * 1 FETCH (ANNOTATION (/comment (value.priv "Get tix Tuesday" value.shared NIL) /altsubject (value.priv "Wots On" value.shared NIL)))
S: f OK FETCH completed
C: g STORE 1 ANNOTATION (/comment (value.priv "My new comment" value.shared "foo's bar"))
S: g OK STORE completed
C: h FETCH 1 (ANNOTATION (/comment (value size)))
S: * 1 FETCH (ANNOTATION (/comment (value.priv "My new comment" value.shared "foo's bar" size.priv "14" size.shared "9")))
S: h OK FETCH completed
C: i UID FETCH 1 (UID ANNOTATION (/* (value.priv size.priv)))
S: * 1 FETCH (UID 1 ANNOTATION (/altsubject (value.priv "Wots On" size.priv "7") /comment (value.priv "My new comment" size.priv "14")))
S: i OK FETCH completed
C: j FETCH 1:2 (ANNOTATION (/% value.shared))
S: * 1 FETCH (ANNOTATION (/comment (value.shared "foo's bar")))
S: * 2 FETCH (ANNOTATION (/comment (value.shared NIL)))
S: j OK FETCH completed
C: j FETCH 2 (ANNOTATION (("/1/*" %) (value size.priv)))  # §5 wants an entry where there is none, §3.2.2
S: * 2 FETCH (ANNOTATION (/1/comment (value.priv NIL value.shared NIL size.priv "0")))
S: j OK FETCH completed
C: j FETCH 1 (ANNOTATION (/comment* value.shared))  # §4.3: "one or more characters"
S: * 1 FETCH (ANNOTATION (/commentcomment (value.shared NIL)))
S: j OK FETCH completed
C: k FETCH 2 (ANNOTATION (/none (value size)))  # §3.2.2: NIL and "0" where there is nothing
S: * 2 FETCH (ANNOTATION (/none (value.priv NIL value.shared NIL size.priv "0" size.shared "0")))
S: k OK FETCH completed
C: l STORE 2 ANNOTATION (/1/comment (value.shared ~{3+}
C: a b))  # §3.2.1, literal8
S: l OK STORE completed
C: l FETCH 2 ANNOTATION (("/1/%" "/%") value.shared)
S: * 2 FETCH (ANNOTATION (/1/comment (value.shared "a b")))
S: l OK FETCH completed
C: m STORE 2 ANNOTATION (/7/comment (value.shared "x"))  # §3.2.1: a part that is not there
S: m BAD There is no such part
C: n APPEND drafts ANNOTATION (/comment (value.priv "Don't send until I say so")) {6+}  # §4.7
C: a: b
C: 
S: n OK [APPENDUID 1002 1] APPEND completed
C: o COPY 1 drafts  # §4.6
S: o OK [COPYUID 1002 1 2] COPY completed
C: p SEARCH ANNOTATION /comment value "NEW"  # §4.8
S: * SEARCH 1
S: p OK SEARCH completed
C: q SEARCH ANNOTATION * value.priv "foo"
S: * SEARCH
S: q OK SEARCH completed
C: r SEARCH ANNOTATION * value.shared "foo"
S: * SEARCH 1
S: r OK SEARCH completed
C: s SEARCH ANNOTATION /comment value NIL
S: * SEARCH 2 3
S: s OK SEARCH completed
C: t STORE 3 ANNOTATION (/altsubject (value.shared "b")) 
S~ t BAD *
C: t STORE 3 ANNOTATION (/altsubject (value.shared "b"))
S: t OK STORE completed
C: u STORE 1 ANNOTATION (/altsubject (value.shared "C"))
S: u OK STORE completed
C: v SORT (ANNOTATION /altsubject value.shared) UTF-8 ALL  # §4.9
S: * SORT 2 3 1
S: v OK SORT completed
C: v SORT (REVERSE ANNOTATION /altsubject value.shared ARRIVAL) UTF-8 ALL
S: * SORT 1 3 2
S: v OK SORT completed
C: w STORE 1 ANNOTATION (/comment (value.priv "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"))
S: w NO [ANNOTATE TOOBIG] That is too large
C: w STORE 3 ANNOTATION (/a (value.priv "") /b (value.priv "") /c (value.priv "") /d (value.priv "") /e (value.priv "") /f (value.priv "") /g (value.priv "") /h (value.priv "") /i (value.priv "") /j (value.priv ""))
S: w NO [ANNOTATE TOOMANY] There are too many annotations
C: w STORE 3 ANNOTATION (/a0 (value.priv NIL) /a1 (value.priv NIL) /a2 (value.priv NIL) /a3 (value.priv NIL) /a4 (value.priv NIL) /b0 (value.priv NIL) /b1 (value.priv NIL) /b2 (value.priv NIL) /b3 (value.priv NIL) /b4 (value.priv NIL) /c0 (value.priv NIL) /c1 (value.priv NIL) /c2 (value.priv NIL) /c3 (value.priv NIL) /c4 (value.priv NIL) /d0 (value.priv NIL) /d1 (value.priv NIL) /d2 (value.priv NIL) /d3 (value.priv NIL) /d4 (value.priv NIL) /e0 (value.priv NIL) /e1 (value.priv NIL) /e2 (value.priv NIL) /e3 (value.priv NIL) /e4 (value.priv NIL) /f0 (value.priv NIL) /f1 (value.priv NIL) /f2 (value.priv NIL) /f3 (value.priv NIL) /f4 (value.priv NIL) /g0 (value.priv NIL) /g1 (value.priv NIL) /g2 (value.priv NIL) /g3 (value.priv NIL) /g4 (value.priv NIL) /h0 (value.priv NIL) /h1 (value.priv NIL) /h2 (value.priv NIL) /h3 (value.priv NIL) /h4 (value.priv NIL) /i0 (value.priv NIL) /i1 (value.priv NIL) /i2 (value.priv NIL) /i3 (value.priv NIL) /i4 (value.priv NIL) /j0 (value.priv NIL) /j1 (value.priv NIL) /j2 (value.priv NIL) /j3 (value.priv NIL) /j4 (value.priv NIL) /k0 (value.priv NIL) /k1 (value.priv NIL) /k2 (value.priv NIL) /k3 (value.priv NIL) /k4 (value.priv NIL) /l0 (value.priv NIL) /l1 (value.priv NIL) /l2 (value.priv NIL) /l3 (value.priv NIL) /l4 (value.priv NIL) /m0 (value.priv NIL) /m1 (value.priv NIL) /m2 (value.priv NIL) /m3 (value.priv NIL) /m4 (value.priv NIL))  # §4.5, whatever they are
S~ w NO [ANNOTATE TOOMANY] *at most 64 entries*
C: x FETCH 1 (ANNOTATION (comment value))  # §3.2: BAD
S~ x BAD *
C: x FETCH 1 (ANNOTATION (/comment Value))
S~ x BAD *
C: x STORE 1 ANNOTATION (/comment (value "x"))
S~ x BAD *
C: x STORE 1 ANNOTATION (/comment (size.priv "1"))
S~ x BAD *
C: x STORE 1 ANNOTATION (/flags/x (value.priv "1"))  # §3.5
S~ x BAD *
C: x STORE 1 ANNOTATION (/0/comment (value.priv "1"))
S~ x BAD *
C: x STORE 1 ANNOTATION (/comm* (value.priv "1"))
S~ x BAD *
C: x STORE 1 ANNOTATION (/01/comment (value.priv "1"))
S~ x BAD *
C: x STORE 1 ANNOTATION (/1.+1/comment (value.priv "1"))
S~ x BAD *
C: x FETCH 1 (ANNOTATION (/0/comment value))
S~ x BAD *
C: x FETCH 1 (ANNOTATION ((/comment "/01/*") value))
S~ x BAD *
C: x SEARCH ANNOTATION /1x/comment value "1"
S~ x BAD *
C: x STORE 1 ANNOTATION (/1/flags/seen (value.priv "2"))
S~ x BAD *
C: x STORE 1 ANNOTATION (/1/flags/x (value.priv "1" value.shared ""))
S~ x BAD *
C: x APPEND drafts ANNOTATION (/1/flags/seen (value.priv "yes")) {6+}
C: a: b
C: 
S~ x BAD *
C: x STORE 1 ANNOTATION (/1/flags/seen (value.priv "1" value.shared "0"))
S: x OK STORE completed
C: x STORE 1 ANNOTATION (/1/flags/seen (value.priv NIL value.shared NIL))
S: x OK STORE completed
C: x SEARCH ANNOTATION /comment size "1"
S~ x BAD *
C: x SORT (ANNOTATION /comment value) UTF-8 ALL
S~ x BAD *
S2~ * OK [CAPABILITY *] *
C2: a LOGIN joe secret
S2~ a OK [CAPABILITY *] *
C2: b SELECT INBOX
S2~ * 3 EXISTS
S2~ * 0 RECENT
S2~ * OK [UNSEEN 1] *
S2~ * OK [UIDVALIDITY 1001] *
S2~ * OK [UIDNEXT 4] *
S2~ * FLAGS *
S2~ * OK [PERMANENTFLAGS *] *
S2~ * OK [HIGHESTMODSEQ *] *
S2~ * OK [MAILBOXID *] *
S2: * OK [ANNOTATIONS 16384] Largest annotation
S2: b OK [READ-WRITE] SELECT completed
C2: c STORE 2 ANNOTATION (/comment (value.shared "by another") /1/comment (value.shared NIL))
S2: c OK STORE completed
C: y NOOP  # §4.4: names alone
S: * 2 FETCH (FLAGS (\Recent) ANNOTATION (/1/comment /comment))
S: y OK NOOP completed
C: z STORE 2 ANNOTATION (/comment (value.shared "mine"))
S: z OK STORE completed
C2: d NOOP  # without ANNOTATE
S2: * 2 FETCH (FLAGS ())
S2: d OK NOOP completed
C2: d STORE 1:2 ANNOTATION (/altsubject (value.shared "x"))
S2: d OK STORE completed
C: z STORE 1 +FLAGS.SILENT (\Flagged)  # §4.4: own changes hide no other's
S: * 1 FETCH (FLAGS (\Flagged \Recent))
S: z OK STORE completed
C: z STORE 2 ANNOTATION (/comment (value.shared "again"))
S: * 2 FETCH (FLAGS (\Recent))
S: z OK STORE completed
C: z NOOP
S: * 1 FETCH (ANNOTATION (/altsubject))
S: * 2 FETCH (ANNOTATION (/altsubject))
S: z OK NOOP completed
C2: d STORE 3 ANNOTATION (/altsubject (value.shared "x"))
S2: d OK STORE completed
C: z FETCH 3 BODY[TEXT]
S: * 3 FETCH (BODY[TEXT] {8}
S: body 3
S:  FLAGS (\Seen \Recent))
S: * 3 FETCH (ANNOTATION (/altsubject))
S: z OK FETCH completed
C: z STORE 1 FLAGS.SILENT ()
S: z OK STORE completed
C: z STORE 2 ANNOTATION (/altsubject (value.shared NIL))
S: z OK STORE completed
C: z NOOP
S: z OK NOOP completed
C2: d NOOP
S2: * 1 FETCH (FLAGS ())
S2: * 2 FETCH (FLAGS ())
S2: * 3 FETCH (FLAGS (\Seen))
S2: d OK NOOP completed
C: z NOTIFY SET (selected (MessageNew MessageExpunge AnnotationChange)) (mailboxes drafts (MessageNew MessageExpunge AnnotationChange))  # RFC 5465 §5.1
S: z OK NOTIFY completed
C2: e STORE 2 ANNOTATION (/comment (value.shared NIL))
S2: e OK STORE completed
W:
S: * 2 FETCH (UID 2 ANNOTATION (/comment))
C2: e STORE 2 ANNOTATION (/comment (value.shared "x") /altsubject (value.shared "x"))
S2: e OK STORE completed
C: z STORE 2 ANNOTATION (/altsubject (value.shared NIL))
S: * 2 FETCH (FLAGS (\Recent))
S: z OK STORE completed
W:
S: * 2 FETCH (UID 2 ANNOTATION (/comment))
C2: f STORE 2 FLAGS.SILENT (\Seen)
S2: * 2 FETCH (FLAGS (\Seen))
S2: f OK STORE completed
C2: g SELECT drafts
S2: * OK [CLOSED] The mailbox selected before is closed
S2~ * 2 EXISTS
S2~ * 2 RECENT
S2~ * OK [UNSEEN 1] *
S2~ * OK [UIDVALIDITY 1002] *
S2~ * OK [UIDNEXT 3] *
S2~ * FLAGS *
S2~ * OK [PERMANENTFLAGS *] *
S2~ * OK [HIGHESTMODSEQ *] *
S2~ * OK [MAILBOXID *] *
S2: * OK [ANNOTATIONS 16384] Largest annotation
S2: g OK [READ-WRITE] SELECT completed
C2: h FETCH 1:2 (ANNOTATION (/comment value.priv))
S2: * 1 FETCH (ANNOTATION (/comment (value.priv "Don't send until I say so")))
S2: * 2 FETCH (ANNOTATION (/comment (value.priv "My new comment")))
S2: h OK FETCH completed
C2: i STORE 1 ANNOTATION (/comment (value.priv NIL))
S2: i OK STORE completed
W:
S: * STATUS "drafts" (UIDVALIDITY 1002 UNSEEN 2)
W: rights drafts lr
C2: j STORE 1 ANNOTATION (/comment (value.priv "x"))  # §3.4
S2: j OK STORE completed
W:
S: * STATUS "drafts" (UIDVALIDITY 1002 UNSEEN 2)
C2: k STORE 1 ANNOTATION (/comment (value.shared "x"))
S2: k NO [NOPERM] You may not do that
C2: l EXAMINE drafts
S2: * OK [CLOSED] The mailbox selected before is closed
S2~ * 2 EXISTS
S2~ * 0 RECENT
S2~ * OK [UNSEEN 1] *
S2~ * OK [UIDVALIDITY 1002] *
S2~ * OK [UIDNEXT 3] *
S2~ * FLAGS *
S2~ * OK [PERMANENTFLAGS *] *
S2~ * OK [HIGHESTMODSEQ *] *
S2~ * OK [MAILBOXID *] *
S2~ * OK [ANNOTATIONS *] Largest annotation
S2: l OK [READ-ONLY] EXAMINE completed
C2: l STORE 1 ANNOTATION (/comment (value.priv "mine"))  # §3.4: "Any mailbox with the r ACL right"
S2: l OK STORE completed
C2: l STORE 1 ANNOTATION (/comment (value.shared "ours"))  # RFC 3501 §6.3.2
S2: l NO [NOPERM] The mailbox is selected read-only
C2: l STORE 1 ANNOTATION (/comment (value.priv "mine" value.shared "ours"))
S2: l NO [NOPERM] The mailbox is selected read-only
C2: l STORE 1 FLAGS (\Seen)
S2: l NO [NOPERM] The mailbox is selected read-only
C2: l FETCH 1 (ANNOTATION (/comment value))
S2: * 1 FETCH (ANNOTATION (/comment (value.priv "mine" value.shared NIL)))
S2: l OK FETCH completed
C2: m STORE 1 UNCHANGEDSINCE 
S2~ m BAD *
