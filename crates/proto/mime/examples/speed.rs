//! Time of what a delivery does with each message: `cargo run --release -p mime --example speed`.

use std::hint::black_box;
use std::time::Duration;

use mime::imap::{self, BodyForm};
use mime::{Envelope, references, subject, text, transfer};

/// A message of about 15 KiB as they come: trace fields, multipart/alternative, an attachment in base64.
fn sample() -> Vec<u8> {
    let mut message = Vec::new();
    for hop in 0..5 {
        message.extend(format!(
            "Received: from host{hop}.example.net (host{hop}.example.net [192.0.2.{hop}])\r\n\tby mx.example.org (Postfix) \
             with ESMTPS id 4XyZ{hop}\r\n\tfor <user@example.org>; Sat, 21 Nov 2026 12:00:0{hop} +0000 (UTC)\r\n"
        ).bytes());
    }
    message.extend_from_slice(
        b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=mail;\r\n\th=from:to:subject;\r\n\t\
          b=dGhpcyBpcyBubyByZWFsIHNpZ25hdHVyZSBidXQgaXQgaXMgYXMgbG9uZyBhcyBvbmUgd291bGQgYmU\r\n\
          Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nFrom: =?utf-8?q?Andr=C3=A9?= Pirard <andre@example.net>\r\n\
          To: User <user@example.org>, \"Second, User\" <second@example.org>\r\nCc: third@example.org (Third)\r\n\
          Subject: Re: [list] =?utf-8?b?0J/RgNC40LLQtdGCINCy0YHQtdC8?= and more\r\nMessage-ID: <m4@example.net>\r\n\
          In-Reply-To: <m3@example.org>\r\nReferences: <m1@example.org> <m2@example.net>\r\n <m3@example.org>\r\n\
          MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"----=_Part_1_abcdef\"\r\n\r\n\
          ------=_Part_1_abcdef\r\nContent-Type: multipart/alternative; boundary=\"----=_Part_2_abcdef\"\r\n\r\n\
          ------=_Part_2_abcdef\r\nContent-Type: text/plain; charset=utf-8\r\n\
          Content-Transfer-Encoding: quoted-printable\r\n\r\n",
    );
    message.extend(b"A line of the text with some =C3=A9 in it, as text has it.\r\n".repeat(30));
    message.extend_from_slice(b"------=_Part_2_abcdef\r\nContent-Type: text/html; charset=utf-8\r\n\r\n");
    message
        .extend(b"<p>A line of the <b>text</b> with some &eacute; in it, as text has it.</p>\r\n".repeat(40));
    message.extend_from_slice(
        b"------=_Part_2_abcdef--\r\n------=_Part_1_abcdef\r\nContent-Type: image/png; name=\"a.png\"\r\n\
          Content-Disposition: attachment; filename=\"a.png\"\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    );
    transfer::encode_base64(&[0x5a; 5000], &mut message);
    message.extend_from_slice(b"------=_Part_1_abcdef--\r\n");
    message
}

#[expect(clippy::disallowed_methods, reason = "an example that measures; the crate itself has no clock")]
fn measure(name: &str, mut work: impl FnMut()) {
    let rounds = 20_000_u32;
    for _ in 0..rounds / 10 {
        work();
    }
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let start = std::time::Instant::now();
        for _ in 0..rounds {
            work();
        }
        best = best.min(start.elapsed());
    }
    println!("{name:32} {:8.2} µs", best.as_secs_f64() * 1e6 / f64::from(rounds));
}

/// One megabyte of each hostile pattern through everything: each line should stay in the milliseconds.
#[expect(clippy::disallowed_methods, reason = "an example that measures; the crate itself has no clock")]
fn hostile() {
    let mixed = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    let rows = [
        ("", "--b\r\n\r\nx\r\n"),
        (mixed, "--b\r\n\r\nx\r\n"),
        (mixed, "--b\r\n"),
        (mixed, "--x\r\n"),
        ("", "Content-Type: message/rfc822\r\n\r\n"),
        ("", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"),
        ("", "X: y\r\n"),
        ("To: ", "a@b, "),
        ("To: ", "g:(;"),
        ("To: ", "<a>\"("),
        ("Subject: ", "=?a?q?"),
        ("Subject: ", "=?utf-8?b?0J/R?= "),
        ("Subject: ", "[fwd:re[a]:"),
        ("References: ", "<a@b> "),
        ("References: ", "<(\""),
        ("Content-Type: text/plain", "; a*1*=%"),
        ("Content-Type: text/plain", " a=b"),
        ("Content-Type: text/html\r\n\r\n", "<a \"'"),
        ("Content-Type: text/html\r\n\r\n", "<script></scrip"),
        ("Content-Type: text/html\r\n\r\n", "&#x"),
        ("Content-Transfer-Encoding: base64\r\n\r\n", "=A"),
        ("Content-Transfer-Encoding: quoted-printable\r\n\r\n", "=  \n"),
    ];
    for (head, row) in rows {
        let message = [head.as_bytes(), &row.as_bytes().repeat(1_000_000 / row.len())].concat();
        let start = std::time::Instant::now();
        let structure = mime::parse(&message);
        let envelope = Envelope::parse(&message);
        let mut out = Vec::new();
        imap::write_envelope(&envelope, &mut out);
        imap::write_body(&structure, BodyForm::BodyStructure, &mut out);
        black_box(references::message_ids(envelope.references.unwrap_or_default()));
        black_box(subject::base_subject(envelope.subject.unwrap_or_default()));
        black_box(text::header_text(&message).len());
        black_box(text::body_texts(&structure, 1 << 20).count());
        let elapsed = start.elapsed();
        println!("{:8.2} ms, {:8} bytes of output: {head:?} {row:?}", elapsed.as_secs_f64() * 1e3, out.len());
    }
}

fn main() {
    hostile();
    let message = sample();
    println!("message of {} bytes", message.len());
    let structure = mime::parse(&message);
    let envelope = Envelope::parse(&message);
    let thread = |envelope: &Envelope<'_>| {
        let ids = [envelope.references, envelope.in_reply_to, envelope.message_id]
            .map(|value| references::message_ids(value.unwrap_or_default()));
        black_box(ids);
        black_box(subject::base_subject(envelope.subject.unwrap_or_default()));
    };
    measure("structure", || drop(black_box(mime::parse(&message))));
    measure("envelope", || drop(black_box(Envelope::parse(&message))));
    measure("references and base subject", || thread(&envelope));
    let mut out = Vec::new();
    measure("write ENVELOPE", || {
        out.clear();
        imap::write_envelope(&envelope, &mut out);
    });
    measure("write BODYSTRUCTURE", || {
        out.clear();
        imap::write_body(&structure, BodyForm::BodyStructure, &mut out);
    });
    measure("delivery: all of the above", || {
        out.clear();
        let structure = mime::parse(&message);
        let envelope = Envelope::parse(&message);
        thread(&envelope);
        imap::write_envelope(&envelope, &mut out);
        imap::write_body(&structure, BodyForm::BodyStructure, &mut out);
    });
    measure("text of all parts", || {
        black_box(text::body_texts(&structure, 1 << 20).map(|text| text.len()).sum::<usize>());
    });
    measure("preview", || drop(black_box(text::preview(&structure, 200))));
}
