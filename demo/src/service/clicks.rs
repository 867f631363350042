//! Counts clicks, in memory or in PostgreSQL.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio_postgres::{Client, NoTls};

/// Links that are counted in memory; further ones are not.
const MAX_LINKS: usize = 10_000;

/// Where clicks are counted.
#[derive(Debug)]
pub struct Clicks(Store);

enum Store {
    Memory(Mutex<HashMap<String, u64>>),
    Postgres { url: String, client: tokio::sync::Mutex<Option<Client>> },
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Memory(_) => "Memory",
            // The URL may hold a password.
            Self::Postgres { .. } => "Postgres",
        })
    }
}

impl Clicks {
    /// Counts that end with the process.
    #[must_use]
    pub fn in_memory() -> Self {
        Self(Store::Memory(Mutex::default()))
    }

    /// Counts in the table `clicks` of the database at `url`, made when it is missing.
    #[must_use]
    pub fn in_postgres(url: String) -> Self {
        Self(Store::Postgres { url, client: tokio::sync::Mutex::new(None) })
    }

    /// Counts one click on `link`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn count(&self, link: &str) -> Result<(), tokio_postgres::Error> {
        match &self.0 {
            Store::Memory(counts) => {
                let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
                if counts.len() < MAX_LINKS || counts.contains_key(link) {
                    *counts.entry(link.to_owned()).or_insert(0) += 1;
                }
                Ok(())
            }
            Store::Postgres { .. } => {
                let sql = "INSERT INTO clicks (link, count) VALUES ($1, 1) ON CONFLICT (link) DO UPDATE SET count = clicks.count + 1";
                self.query(sql, link).await.map(drop)
            }
        }
    }

    /// How often `link` was followed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn read(&self, link: &str) -> Result<i64, tokio_postgres::Error> {
        match &self.0 {
            Store::Memory(counts) => {
                let counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(counts.get(link).and_then(|count| i64::try_from(*count).ok()).unwrap_or(0))
            }
            Store::Postgres { .. } => {
                let rows = self.query("SELECT count FROM clicks WHERE link = $1", link).await?;
                Ok(rows.first().map_or(0, |row| row.get(0)))
            }
        }
    }

    /// Whether clicks can be counted at all.
    ///
    /// # Errors
    /// What the database says.
    pub async fn check(&self) -> Result<(), tokio_postgres::Error> {
        self.read("check").await.map(drop)
    }

    async fn query(&self, sql: &str, link: &str) -> Result<Vec<tokio_postgres::Row>, tokio_postgres::Error> {
        let Store::Postgres { url, client } = &self.0 else { return Ok(Vec::new()) };
        let mut client = client.lock().await;
        if client.as_ref().is_none_or(Client::is_closed) {
            let (fresh, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            fresh
                .batch_execute("CREATE TABLE IF NOT EXISTS clicks (link text PRIMARY KEY, count bigint NOT NULL)")
                .await?;
            *client = Some(fresh);
        }
        match client.as_ref() {
            Some(client) => client.query(sql, &[&link]).await,
            None => Ok(Vec::new()),
        }
    }
}
