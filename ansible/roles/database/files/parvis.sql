-- Run as postgres by Ansible (roles/database), each time: says what it made, nothing when all was there.
\set ON_ERROR_STOP on
\getenv password PARVIS_PASSWORD
SELECT 'CREATE ROLE parvis LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'parvis') \gexec
SELECT 'CREATE DATABASE parvis OWNER parvis' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'parvis') \gexec
SET log_statement = 'none';
SET password_encryption = 'scram-sha-256';
ALTER ROLE parvis LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
REVOKE CONNECT ON DATABASE parvis FROM PUBLIC;
