//! What a PostgreSQL object kind is.
