//! What a store on a server has to do besides: the same histories as the model, a server that is killed, and several
//! stores beside each other.

/// The tests of a store that `store(&server, namespace, clock)` connects to, with so many histories.
macro_rules! state_server_suite {
    (#[$ignore:meta] $server:ty, $store:ty, $cases:literal) => {
        #[test]
        #[$ignore]
        fn every_history_ends_as_in_the_model() {
            static MADE: AtomicU64 = AtomicU64::new(0);
            let server = <$server>::start();
            let config = proptest::test_runner::Config {
                cases: $cases,
                failure_persistence: None,
                ..Default::default()
            };
            proptest::test_runner::TestRunner::new(config)
                .run(&model::history(), |acts| {
                    let namespace = format!("history {}", MADE.fetch_add(1, Ordering::Relaxed));
                    let clock = Arc::new(FixedClock::at(suite::START));
                    model::check(&acts, &store(&server, &namespace, Some(Arc::clone(&clock))), &clock);
                    Ok(())
                })
                .unwrap();
        }

        fn used(store: &$store) -> i64 {
            store.snapshot().wait().unwrap().total(&suite::cell("a", "all", "w")).units()
        }

        #[test]
        #[$ignore]
        fn what_was_acknowledged_survives_the_server() {
            let mut server = <$server>::start();
            let store = store(&server, "crash", None);
            let mut kept = batch(1, vec![guard_core::Charge { resets_in: None, ..charge("a", 4, 10) }]);
            store.charge(&kept).wait().unwrap();
            server.restart();
            // The connections are broken, and a server may have forgotten what it was told beside the state.
            assert_eq!(used(&store), 4);
            store.charge(&kept).wait().unwrap();
            assert_eq!(used(&store), 4);
            kept.reservation = ReservationId(2);
            store.reserve(&kept, LEASE).wait().unwrap();
            server.restart();
            store.settle(ReservationId(2), &Settlement::AsReserved).wait().unwrap();
            assert_eq!(used(&store), 8);
            server.kill();
            let error = store.charge(&kept).wait().unwrap_err();
            assert!(matches!(error, guard_core::StateError::Unavailable(_)), "{error}");
        }

        /// Of two processes one may have the wrong time. A window that has ended for the one that is ahead does not offer its
        /// budget again to the other.
        #[test]
        #[$ignore]
        fn a_process_whose_clock_is_behind_goes_by_the_servers_time() {
            let server = <$server>::start();
            let after = |seconds| suite::START.plus(std::time::Duration::from_secs(seconds));
            let [ahead, behind] = [120, 0]
                .map(|seconds| store(&server, "shared", Some(Arc::new(FixedClock::at(after(seconds))))));
            behind.charge(&batch(1, vec![charge("a", 7, 10)])).wait().unwrap();
            let ever = guard_core::Charge { resets_in: None, ..charge("b", 1, 10) };
            ahead.charge(&batch(2, vec![ever])).wait().unwrap();
            let error = behind.charge(&batch(3, vec![charge("a", 1, 10)])).wait().unwrap_err();
            assert!(matches!(error, guard_core::StateError::WindowClosed(_)), "{error}");
            assert_eq!(used(&behind), 0);
        }

        /// Not everything that was dropped is remembered: who has looked away for longer is told of all there is.
        #[test]
        #[$ignore]
        fn whoever_looked_away_for_long_is_told_all() {
            let (server, clock) = (<$server>::start(), Arc::new(FixedClock::at(suite::START)));
            let store = store(&server, "forgotten", Some(Arc::clone(&clock)));
            for id in 0..10_u128 {
                let cell = |key: u128| suite::cell("many", &format!("{id} {key}"), "w");
                let one = |key| guard_core::Charge { cell: cell(key), ..charge("many", 1, 10) };
                store.charge(&batch(id, (0..500).map(one).collect())).wait().unwrap();
            }
            let seen = store.snapshot().wait().unwrap();
            assert_eq!(seen.cells.len(), 5_000);
            clock.advance(std::time::Duration::from_secs(60));
            assert!(store.snapshot().wait().unwrap().cells.is_empty());
            let changes = store.changes_since(seen.revision).wait().unwrap();
            assert!(matches!(&changes, guard_core::Changes::All(all) if all.cells.is_empty()));
        }

        /// The processes of a program that is started for the first time.
        #[test]
        #[$ignore]
        fn a_new_namespace_may_be_opened_by_many_at_once() {
            let server = <$server>::start();
            for round in 0..10 {
                let (namespace, begin) = (format!("new {round}"), std::sync::Barrier::new(6));
                std::thread::scope(|scope| {
                    for id in 0..6 {
                        let (server, namespace, begin) = (&server, &namespace, &begin);
                        scope.spawn(move || {
                            begin.wait();
                            let ever = guard_core::Charge { resets_in: None, ..charge("a", 1, 10) };
                            store(server, namespace, None).charge(&batch(id, vec![ever])).wait().unwrap();
                        });
                    }
                });
                assert_eq!(used(&store(&server, &namespace, None)), 6);
            }
        }

        #[test]
        #[$ignore]
        fn namespaces_and_processes() {
            let server = <$server>::start();
            let (one, two, other) = (
                store(&server, "shared", None),
                store(&server, "shared", None),
                store(&server, "other", None),
            );
            let ever = guard_core::Charge { resets_in: None, ..charge("a", 4, 10) };
            one.charge(&batch(1, vec![ever.clone()])).wait().unwrap();
            two.charge(&batch(2, vec![ever])).wait().unwrap();
            assert_eq!((used(&one), used(&two), used(&other)), (8, 8, 0));
        }
    };
}
