package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
)

// newPostgres makes a database of its own in the server that was named.
func (b *bench) newPostgres(ctx context.Context) (*database, error) {
	u, err := url.Parse(b.postgres)
	if err != nil {
		return nil, fmt.Errorf("--postgres: %w", err)
	}
	b.databases++
	name := fmt.Sprintf("tidings_bench_%d_%d", time.Now().Unix(), b.databases)
	var server int
	if err := b.onServer(ctx, func(c *pgx.Conn) error {
		if _, err := c.Exec(ctx, "CREATE DATABASE "+name); err != nil {
			return err
		}
		return c.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&server)
	}, &server); err != nil {
		return nil, err
	}
	u.Path = "/" + name
	return &database{
		name: "postgres", url: u.String(), spent: familyOf(server),
		size: func(ctx context.Context) (n int64, err error) {
			err = b.onServer(ctx, func(c *pgx.Conn) error {
				return c.QueryRow(ctx, "SELECT pg_database_size($1)", name).Scan(&n)
			}, nil)
			return n, err
		},
		drop: func() error {
			ctx, cancel := context.WithTimeout(context.Background(), stopIn)
			defer cancel()
			return b.onServer(ctx, func(c *pgx.Conn) error {
				_, err := c.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
				return err
			}, nil)
		},
	}, nil
}

// onServer does something with a connection to the server, and turns the
// backend's pid, where asked for, into the server's while the backend lives.
func (b *bench) onServer(ctx context.Context, do func(*pgx.Conn) error, pid *int) error {
	c, err := pgx.Connect(ctx, b.postgres)
	if err != nil {
		return fmt.Errorf("--postgres: %w", err)
	}
	err = do(c)
	if err == nil && pid != nil {
		if *pid, err = parentOf(*pid); err != nil {
			*pid, err = 0, nil // the server is elsewhere
		}
	}
	return errors.Join(err, c.Close(ctx))
}

// familyOf is the processor time of the server with all its processes; nil where it is not here.
func familyOf(server int) func() (time.Duration, error) {
	if server == 0 {
		return nil
	}
	return func() (time.Duration, error) { return spentByFamily(server) }
}
