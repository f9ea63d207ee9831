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
