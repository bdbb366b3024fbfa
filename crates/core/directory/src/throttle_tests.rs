use super::*;

/// Virtual time in seconds.
fn at(seconds: f64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs_f64(1_700_000_000.0 + seconds)
}

fn ip(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

fn fail_often(throttle: &Throttle, peer: &str, account: &str, times: usize, now: SystemTime) {
    for _ in 0..times {
        throttle.failed(ip(peer), account, now);
    }
}

#[test]
fn delays_grow_and_decay() {
    let throttle = Throttle::new(Limits::default());
    let mut now = 0.0;
    let mut delays = Vec::new();
    for _ in 0..9 {
        assert!(throttle.admits(ip("192.0.2.1"), "a", at(now)));
        let delay = throttle.failed(ip("192.0.2.1"), "a", at(now)).as_secs_f64();
        delays.push(delay);
        now += delay;
    }
    assert_eq!(delays, [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]);
    now += 24.0 * 60.0;
    assert_eq!(throttle.failed(ip("192.0.2.1"), "a", at(now)), Duration::ZERO, "all is forgotten in time");
}

#[test]
fn the_owner_elsewhere_is_never_delayed() {
    let throttle = Throttle::new(Limits::default());
    for n in 0..500_u32 {
        let peer = Some(IpAddr::from([198, 51, (n >> 8) as u8, n as u8]));
        throttle.failed(peer, "victim", at(f64::from(n)));
    }
    assert!(throttle.admits(ip("192.0.2.7"), "victim", at(500.0)));
    assert_eq!(throttle.succeeded(ip("192.0.2.7"), "victim", at(500.0)), Duration::ZERO);
    // A guess from a fresh address waits for the account's sake.
    assert_eq!(throttle.failed(ip("203.0.113.9"), "victim", at(500.0)), Duration::from_secs(30));
    // So does not one at another account.
    assert_eq!(throttle.failed(ip("203.0.113.10"), "other", at(500.0)), Duration::ZERO);
}

#[test]
fn accounts_tried_one_after_the_other_count_for_the_address() {
    let throttle = Throttle::new(Limits::default());
    let delays: Vec<f64> = (0..5)
        .map(|n| throttle.failed(ip("192.0.2.1"), &format!("user{n}"), at(0.0)).as_secs_f64())
        .collect();
    assert_eq!(delays, [0.0, 0.5, 1.0, 2.0, 4.0]);
}

#[test]
fn a_right_log_in_waits_once_and_forgives_its_own_mistakes() {
    let throttle = Throttle::new(Limits::default());
    fail_often(&throttle, "192.0.2.1", "a", 3, at(0.0));
    assert_eq!(throttle.succeeded(ip("192.0.2.1"), "a", at(10.0)), Duration::from_secs(2));
    assert_eq!(throttle.succeeded(ip("192.0.2.1"), "a", at(10.0)), Duration::ZERO);
    assert_eq!(
        throttle.failed(ip("192.0.2.1"), "b", at(10.0)),
        Duration::ZERO,
        "the address is forgiven too"
    );
}

#[test]
fn an_own_account_does_not_wash_guesses_at_others() {
    let throttle = Throttle::new(Limits::default());
    let mut last = Duration::ZERO;
    for n in 0..10 {
        last = throttle.failed(ip("192.0.2.1"), &format!("victim{n}"), at(0.0));
        throttle.succeeded(ip("192.0.2.1"), "mine", at(0.0));
    }
    assert_eq!(last, Duration::from_secs(30));
}

#[test]
fn behind_a_shared_address_known_users_pay_for_themselves_only() {
    let throttle = Throttle::new(Limits::default());
    throttle.succeeded(ip("127.0.0.1"), "regular", at(0.0));
    fail_often(&throttle, "127.0.0.1", "victim", 40, at(10.0));
    assert!(!throttle.admits(ip("127.0.0.1"), "victim", at(10.0)));
    assert!(throttle.admits(ip("127.0.0.1"), "regular", at(10.0)));
    assert_eq!(throttle.succeeded(ip("127.0.0.1"), "regular", at(10.0)), Duration::ZERO);
}

#[test]
fn who_guesses_in_parallel_is_turned_away_unseen() {
    let throttle = Throttle::new(Limits::default());
    let mut looked_at = 0;
    for _ in 0..1000 {
        if throttle.admits(ip("192.0.2.1"), "a", at(0.0)) {
            looked_at += 1;
            throttle.failed(ip("192.0.2.1"), "a", at(0.0));
        }
    }
    // One costs nothing, ten are held back.
    assert_eq!(looked_at, 11);
    assert!(throttle.admits(ip("192.0.2.2"), "a", at(0.0)), "another address is let in");
    assert!(throttle.admits(ip("192.0.2.1"), "a", at(0.6)), "one place is free again");
    assert!(throttle.admits(None, "a", at(0.0)));
}

#[test]
fn one_ipv6_host_is_its_64() {
    let throttle = Throttle::new(Limits::default());
    throttle.failed(ip("2001:db8::1"), "a", at(0.0));
    assert_eq!(throttle.failed(ip("2001:db8::ffff:2"), "b", at(0.0)), Duration::from_millis(500));
    assert_eq!(throttle.failed(ip("2001:db8:0:1::1"), "c", at(0.0)), Duration::ZERO);
    assert_eq!(network_of("::ffff:192.0.2.1".parse().unwrap()), ip("192.0.2.1").unwrap());
}

#[test]
fn memory_is_bounded_and_a_clock_set_back_locks_nobody_out() {
    let throttle = Throttle::new(Limits { entries_max: 1000, ..Limits::default() });
    for n in 0..20_000_u32 {
        throttle.failed(Some(IpAddr::from(n.to_be_bytes())), &n.to_string(), at(0.0));
    }
    assert!(throttle.entries.lock().len() <= 1000);
    fail_often(&throttle, "192.0.2.1", "a", 30, at(1_000_000.0));
    assert!(!throttle.admits(ip("192.0.2.1"), "a", at(1_000_000.0)));
    assert!(throttle.admits(ip("192.0.2.1"), "a", at(0.0)));
}
