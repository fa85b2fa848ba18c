<?php
/**
 * Sends what waits in the outbox, by WooCommerce's own queue (Action Scheduler).
 *
 * @package LaurelLoyalty
 */

namespace Laurel\Loyalty;

use WP_Error;

defined( 'ABSPATH' ) || exit;

/**
 * Never in a page view. A server that is down is tried once and then left alone for a while: one that hangs would hold
 * up the shop's whole queue.
 */
final class Sender {

	const ACTION    = 'laurel_loyalty_send';
	const WATCH     = 'laurel_loyalty_watch';
	const GROUP     = 'laurel-loyalty';
	const AT_ONCE   = 25; // messages in one run.
	const SECONDS   = 20; // at most for one run.
	const TIMEOUT_S = 5;
	const REST_S    = 60; // after the server did not answer.

	/**
	 * Whether this request wakes us at its end already.
	 *
	 * @var bool
	 */
	private static $is_waking = false;

	/**
	 * Hooks.
	 */
	public static function start(): void {
		add_action( self::ACTION, array( self::class, 'run' ) );
		add_action( self::WATCH, array( self::class, 'watch' ) );
		add_action( 'action_scheduler_init', array( self::class, 'schedule_watch' ) );
	}

	/**
	 * Every hour somebody looks whether anything was left behind. Looked up in the admin alone: no page waits for it.
	 */
	public static function schedule_watch(): void {
		if ( is_admin() && Connection::is_connected() && ! as_has_scheduled_action( self::WATCH, null, self::GROUP ) ) {
			as_schedule_recurring_action( time() + HOUR_IN_SECONDS, HOUR_IN_SECONDS, self::WATCH, array(), self::GROUP );
		}
	}

	/**
	 * Send what waits, at the end of this request and in another one.
	 */
	public static function wake(): void {
		if ( ! self::$is_waking ) {
			self::$is_waking = true;
			add_action( 'shutdown', array( self::class, 'schedule' ) );
		}
	}

	/**
	 * A run for the next row that is due, unless there is one as early.
	 */
	public static function schedule(): void {
		$next = Outbox::next_at();
		if ( 0 === $next || ! Connection::is_connected() || ! function_exists( 'as_get_scheduled_actions' ) ) {
			return;
		}
		$at    = max( $next, Outbox::state()['down_until'], time() );
		$known = self::next_run();
		if ( 0 === $known || $known > $at ) {
			as_schedule_single_action( $at, self::ACTION, array(), self::GROUP );
		}
	}

	/**
	 * When the next run begins; 0: none waits. One that runs at this moment may have looked before a row was written.
	 */
	private static function next_run(): int {
		$waiting = as_get_scheduled_actions(
			array(
				'hook'     => self::ACTION,
				'group'    => self::GROUP,
				'status'   => 'pending',
				'per_page' => 1,
				'orderby'  => 'date',
				'order'    => 'ASC',
			)
		);
		$first   = reset( $waiting );
		$date    = $first ? $first->get_schedule()->get_date() : null;
		return $date ? $date->getTimestamp() : 0;
	}

	/**
	 * Nothing is sent until the plugin is back.
	 */
	public static function unschedule(): void {
		if ( function_exists( 'as_unschedule_all_actions' ) ) {
			as_unschedule_all_actions( self::ACTION );
			as_unschedule_all_actions( self::WATCH );
		}
	}

	/**
	 * Once an hour.
	 */
	public static function watch(): void {
		Outbox::prune( time() );
		Connection::revoke_former( time() );
		self::schedule();
	}

	/**
	 * Send what is due.
	 */
	public static function run(): void {
		$began = time();
		if ( ! Connection::is_connected() || Outbox::state()['down_until'] > $began ) {
			self::schedule();
			return;
		}
		foreach ( Outbox::due( $began, self::AT_ONCE ) as $row ) {
			if ( time() - $began >= self::SECONDS || ! self::send_row( $row ) ) {
				break;
			}
		}
		self::schedule();
	}

	/**
	 * Send one row. False: the server does not answer, so the others need not be tried.
	 *
	 * @param object $row As `Outbox::due` gives it.
	 */
	private static function send_row( $row ): bool {
		$message = Messages::of( $row->kind, (int) $row->ref );
		if ( null === $message ) {
			Outbox::done( $row );
			return true;
		}
		// One for each change, also where two changes leave the same words: an order trashed, brought back, trashed.
		$delivery = implode( '-', array( 'laurel', $row->id, $row->changes, $row->changed_at ) );
		$error    = self::post( $message[0], $message[1], $delivery );
		$now      = time();
		if ( null === $error ) {
			Outbox::done( $row );
			return true;
		}
		Outbox::failed( $row, $error->get_error_message(), $now );
		if ( 'laurel_refused' === $error->get_error_code() ) {
			return true; // this message alone.
		}
		Outbox::note( array( 'down_until' => $now + self::REST_S ) );
		return false;
	}

	/**
	 * A signed message, as WooCommerce's own webhooks look. Null: it was acknowledged.
	 *
	 * @param string               $topic What it is about.
	 * @param array<string, mixed> $body     What it says.
	 * @param string               $delivery Names the message: sent again under the same name, it is the same one.
	 */
	public static function post( string $topic, array $body, string $delivery ): ?WP_Error {
		$text    = (string) wp_json_encode( $body );
		$answer  = wp_safe_remote_post(
			Connection::facts()['webhook_address'],
			array(
				'timeout'     => self::TIMEOUT_S,
				'redirection' => 0,
				'user-agent'  => 'LaurelLoyalty/' . VERSION,
				'headers'     => self::headers( $topic, $text, Connection::secret( 'webhook' ), home_url( '/' ), $delivery ),
				'body'        => $text,
			)
		);
		$problem = self::problem_of( $answer );
		if ( null === $problem && Outbox::state()['down_until'] > 0 ) {
			Outbox::again( time() ); // it is back: nothing needs to wait any longer.
			self::wake();
		}
		Outbox::note(
			null === $problem
				? array(
					'sent'  => Outbox::state()['sent'] + 1,
					'ok_at' => time(),
				)
				: array(
					'error'    => $problem->get_error_message(),
					'error_at' => time(),
				)
		);
		return $problem;
	}

	/**
	 * The headers of WooCommerce's webhooks.
	 *
	 * @param string $topic  Such as "order.updated".
	 * @param string $text   The body as it goes out.
	 * @param string $secret The webhook secret.
	 * @param string $source   The shop's address.
	 * @param string $delivery Names the message.
	 * @return array<string, string>
	 */
	public static function headers( string $topic, string $text, string $secret, string $source, string $delivery ): array {
		list( $resource, $event ) = explode( '.', $topic, 2 );
		return array(
			'Content-Type'             => 'application/json',
			'X-WC-Webhook-Source'      => $source,
			'X-WC-Webhook-Topic'       => $topic,
			'X-WC-Webhook-Resource'    => $resource,
			'X-WC-Webhook-Event'       => $event,
			// phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode -- as WooCommerce signs.
			'X-WC-Webhook-Signature'   => base64_encode( hash_hmac( 'sha256', $text, $secret, true ) ),
			'X-WC-Webhook-Delivery-ID' => $delivery,
		);
	}

	/**
	 * What was wrong with an answer. "laurel_refused": with this message alone. Null: nothing.
	 *
	 * @param array<string, mixed>|WP_Error $answer Of the server.
	 */
	private static function problem_of( $answer ): ?WP_Error {
		if ( is_wp_error( $answer ) ) {
			return new WP_Error( 'laurel_no_answer', $answer->get_error_message() );
		}
		$status = (int) wp_remote_retrieve_response_code( $answer );
		if ( $status >= 200 && $status < 300 ) {
			return null;
		}
		if ( in_array( $status, array( 400, 413, 422 ), true ) ) {
			/* translators: %d: an HTTP status such as 413. */
			return new WP_Error( 'laurel_refused', sprintf( __( 'Laurel could not take this message (%d).', 'laurel-loyalty' ), $status ) );
		}
		if ( 401 === $status || 404 === $status ) {
			/* translators: %d: an HTTP status such as 401. */
			return new WP_Error( 'laurel_unknown_here', sprintf( __( 'Laurel does not know this shop any more (%d). Connect it again.', 'laurel-loyalty' ), $status ) );
		}
		/* translators: %d: an HTTP status such as 503. */
		return new WP_Error( 'laurel_no_answer', sprintf( __( 'Laurel is not well at the moment (%d).', 'laurel-loyalty' ), $status ) );
	}
}
