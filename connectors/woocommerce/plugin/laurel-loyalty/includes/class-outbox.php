<?php
/**
 * What has changed and Laurel does not know yet: one row for each order or coupon, however often it changes.
 *
 * @package LaurelLoyalty
 */

namespace Laurel\Loyalty;

defined( 'ABSPATH' ) || exit;

/**
 * A row is written before anything is sent and goes when Laurel has acknowledged the newest change.
 *
 * Direct queries: a table of our own that no cache may stand before.
 * phpcs:disable WordPress.DB.DirectDatabaseQuery, WordPress.DB.PreparedSQL.InterpolatedNotPrepared
 */
final class Outbox {

	const MOST      = 5000; // rows; the oldest go first.
	const KEPT_DAYS = 30;   // Laurel compares everything by itself each night, so nothing older is worth sending.
	const STATE     = 'laurel_loyalty_outbox';

	/**
	 * The table, made or brought up to date.
	 */
	public static function make_table(): void {
		global $wpdb;
		require_once ABSPATH . 'wp-admin/includes/upgrade.php';
		$table = self::table();
		dbDelta(
			"CREATE TABLE {$table} (
  id bigint unsigned NOT NULL AUTO_INCREMENT,
  kind varchar(10) NOT NULL,
  ref bigint unsigned NOT NULL,
  changes int unsigned NOT NULL DEFAULT 1,
  attempts int unsigned NOT NULL DEFAULT 0,
  changed_at int unsigned NOT NULL,
  due_at int unsigned NOT NULL,
  last_error varchar(190) NOT NULL DEFAULT '',
  PRIMARY KEY  (id),
  UNIQUE KEY kind_ref (kind,ref),
  KEY due_at (due_at)
) {$wpdb->get_charset_collate()};"
		);
	}

	/**
	 * Its name.
	 */
	public static function table(): string {
		global $wpdb;
		return $wpdb->prefix . 'laurel_outbox';
	}

	/**
	 * Something changed; what it is now is looked at when it is sent.
	 *
	 * @param string $kind "order" or "coupon".
	 * @param int    $ref  Its id.
	 * @param int    $now  Unix time.
	 */
	public static function mark( string $kind, int $ref, int $now ): void {
		global $wpdb;
		$table = self::table();
		$wpdb->query(
			$wpdb->prepare(
				"INSERT INTO {$table} (kind, ref, changed_at, due_at) VALUES (%s, %d, %d, %d)
				ON DUPLICATE KEY UPDATE changes = changes + 1, attempts = 0, changed_at = VALUES(changed_at), due_at = VALUES(due_at)",
				$kind,
				$ref,
				$now,
				$now
			)
		);
	}

	/**
	 * What is to be sent now, the longest waiting first.
	 *
	 * @param int $now   Unix time.
	 * @param int $limit How many.
	 * @return array<int, object>
	 */
	public static function due( int $now, int $limit ): array {
		global $wpdb;
		$table = self::table();
		return $wpdb->get_results( $wpdb->prepare( "SELECT * FROM {$table} WHERE due_at <= %d ORDER BY due_at, id LIMIT %d", $now, $limit ) );
	}

	/**
	 * When the next is to be sent; 0 if nothing waits.
	 */
	public static function next_at(): int {
		global $wpdb;
		$table = self::table();
		return (int) $wpdb->get_var( "SELECT MIN(due_at) FROM {$table}" );
	}

	/**
	 * It was acknowledged; unless it has changed since, it goes.
	 *
	 * @param object $row As `due` gave it.
	 */
	public static function done( $row ): void {
		global $wpdb;
		$table = self::table();
		$wpdb->query( $wpdb->prepare( "DELETE FROM {$table} WHERE id = %d AND changes = %d", $row->id, $row->changes ) );
	}

	/**
	 * It was not: once more, later and later.
	 *
	 * @param object $row   As `due` gave it.
	 * @param string $error What to show people.
	 * @param int    $now   Unix time.
	 */
	public static function failed( $row, string $error, int $now ): void {
		global $wpdb;
		$table = self::table();
		$wpdb->query(
			$wpdb->prepare(
				"UPDATE {$table} SET attempts = attempts + 1, due_at = %d, last_error = %s WHERE id = %d AND changes = %d",
				$now + self::wait_s( (int) $row->attempts + 1 ),
				substr( $error, 0, 190 ),
				$row->id,
				$row->changes
			)
		);
	}

	/**
	 * How long to wait after so many failures: a minute at first, six hours at most.
	 *
	 * @param int $attempts At least 1.
	 */
	public static function wait_s( int $attempts ): int {
		$waits = array( 60, 300, 900, 3600, 10800, 21600 );
		return $waits[ min( max( $attempts, 1 ), count( $waits ) ) - 1 ];
	}

	/**
	 * Everything is due now.
	 *
	 * @param int $now Unix time.
	 */
	public static function again( int $now ): void {
		global $wpdb;
		$table = self::table();
		$wpdb->query( $wpdb->prepare( "UPDATE {$table} SET due_at = %d, attempts = 0", $now ) );
		self::note( array( 'down_until' => 0 ) );
	}

	/**
	 * Let go what is too old or too much; how much that was is counted and shown.
	 *
	 * @param int $now Unix time.
	 */
	public static function prune( int $now ): void {
		global $wpdb;
		$table = self::table();
		$gone  = (int) $wpdb->query( $wpdb->prepare( "DELETE FROM {$table} WHERE changed_at < %d", $now - self::KEPT_DAYS * DAY_IN_SECONDS ) );
		$over  = (int) $wpdb->get_var( "SELECT COUNT(*) FROM {$table}" ) - self::MOST;
		if ( $over > 0 ) {
			$gone += (int) $wpdb->query( $wpdb->prepare( "DELETE FROM {$table} ORDER BY changed_at, id LIMIT %d", $over ) );
		}
		if ( $gone > 0 ) {
			self::note( array( 'dropped' => self::state()['dropped'] + $gone ) );
		}
	}

	/**
	 * What waits, for people.
	 *
	 * @return array{waiting:int, failing:int, oldest_at:int}
	 */
	public static function counts(): array {
		global $wpdb;
		$table = self::table();
		$found = $wpdb->get_row( "SELECT COUNT(*) AS waiting, COALESCE(SUM(attempts > 0), 0) AS failing, COALESCE(MIN(changed_at), 0) AS oldest_at FROM {$table}" );
		return array(
			'waiting'   => $found ? (int) $found->waiting : 0,
			'failing'   => $found ? (int) $found->failing : 0,
			'oldest_at' => $found ? (int) $found->oldest_at : 0,
		);
	}

	/**
	 * Nothing waits any more.
	 */
	public static function clear(): void {
		global $wpdb;
		$table = self::table();
		$wpdb->query( "DELETE FROM {$table}" );
		delete_option( self::STATE );
	}

	/**
	 * How sending goes.
	 *
	 * @return array{sent:int, dropped:int, down_until:int, ok_at:int, error:string, error_at:int}
	 */
	public static function state(): array {
		$nothing = array(
			'sent'       => 0,
			'dropped'    => 0,
			'down_until' => 0,
			'ok_at'      => 0,
			'error'      => '',
			'error_at'   => 0,
		);
		$held    = get_option( self::STATE, array() );
		return array_merge( $nothing, is_array( $held ) ? $held : array() );
	}

	/**
	 * Write something down of how sending goes.
	 *
	 * @param array<string, int|string> $changes Of `state`.
	 */
	public static function note( array $changes ): void {
		update_option( self::STATE, array_merge( self::state(), $changes ), false );
	}
}
