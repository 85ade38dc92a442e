//! What is old goes.

use super::*;

#[tokio::test]
async fn the_old_goes_and_the_young_stays() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let day = 86_400_000;
    let mut command = 0;
    for days in [0, 10, 40, 500] {
        for renewal in [true, false] {
            command += 1;
            step(
                &journal,
                -days * day,
                vec![action(command, "ev1", ReasonCode::Lease, renewal)],
                false,
            );
        }
    }
    journal.close().await;
    let mut connection = file::open(&directory.path().join(FILE)).await.unwrap();
    let mut tidying = retention::Tidying::new(Retention::default());
    while tidying.piece(&mut connection, at(1)).await.unwrap() {}
    let count = async |connection: &mut sqlx::SqliteConnection, statement: &'static str| {
        sqlx::query_scalar::<_, i64>(statement)
            .fetch_one(connection)
            .await
            .unwrap()
    };
    assert_eq!(
        count(&mut connection, "SELECT count(*) FROM reading").await,
        2
    );
    // Those of ten days ago are in a block.
    assert_eq!(
        count(
            &mut connection,
            "SELECT sum(last_seq - first_seq + 1) FROM input_block"
        )
        .await,
        2
    );
    assert_eq!(
        count(&mut connection, "SELECT count(*) FROM decision").await,
        4
    );
    assert_eq!(
        count(&mut connection, "SELECT count(*) FROM action").await,
        4
    );
}

/// The queue is full from before the writer begins to its end.
#[tokio::test]
async fn the_old_goes_though_there_is_always_more_to_write() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let old = 30;
    for second in 0..old {
        journal.event(
            at(second * 1000),
            Instant(0),
            reading([Some(10), None, None]),
        );
    }
    journal.close().await;
    let now = Timestamp::now();
    // Nothing else runs until the first wait, which is for the end.
    let journal = Journal::begin(directory.path(), "0.1.0", now, Retention::default()).await;
    for _ in 0..2000 {
        journal.event(now, Instant(0), reading([Some(10), None, None]));
    }
    journal.close().await;
    assert_eq!(journal.dropped(), 0);
    let mut connection = file::open(&directory.path().join(FILE)).await.unwrap();
    let rows = "SELECT count(*) FROM reading";
    let left: i64 = sqlx::query_scalar(rows)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!((2000..2000 + old).contains(&left), "{left}");
}
