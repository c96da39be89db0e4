// As much of what a Spartacus storefront is made of as the snippet uses. Names and
// types are those of Angular 15, RxJS 7 and Spartacus 4.3.8, the newest that is
// public, read 2026-11-30; Order has moved to order/root since.

declare module 'rxjs' {
  export interface OperatorFunction<T, R> {
    (source: Observable<T>): Observable<R>;
  }
  export class Observable<T> {
    pipe<A>(a: OperatorFunction<T, A>): Observable<A>;
    pipe<A, B>(a: OperatorFunction<T, A>, b: OperatorFunction<A, B>): Observable<B>;
    pipe<A, B, C>(a: OperatorFunction<T, A>, b: OperatorFunction<A, B>, c: OperatorFunction<B, C>): Observable<C>;
    subscribe(next: (value: T) => void): { unsubscribe(): void };
  }
  export class BehaviorSubject<T> extends Observable<T> {
    constructor(value: T);
    next(value: T): void;
  }
  export function of<T>(value: T): Observable<T>;
  export function combineLatest<A extends readonly unknown[]>(sources: readonly [...{ [K in keyof A]: Observable<A[K]> }]): Observable<A>;
}

declare module 'rxjs/operators' {
  import { Observable, OperatorFunction } from 'rxjs';
  export function take<T>(count: number): OperatorFunction<T, T>;
  export function catchError<T, R>(selector: (error: any, caught: Observable<T>) => Observable<R>): OperatorFunction<T, T | R>;
  export function switchMap<T, R>(project: (value: T, index: number) => Observable<R>): OperatorFunction<T, R>;
}

declare module '@angular/core' {
  export interface Type<T> extends Function {
    new (...args: any[]): T;
  }
  export interface AbstractType<T> extends Function {
    prototype: T;
  }
  export enum ChangeDetectionStrategy {
    OnPush = 0,
    Default = 1,
  }
  export class ElementRef<T = any> {
    nativeElement: T;
  }
  export interface Provider {
    provide: unknown;
  }
  export function Component(meta: {
    selector?: string;
    standalone?: boolean;
    changeDetection?: ChangeDetectionStrategy;
    template?: string;
  }): (target: any) => any;
  export function Injectable(meta?: { providedIn?: Type<any> | 'root' | 'platform' | 'any' | null }): (target: any) => any;
  export function NgModule(meta: {
    imports?: Type<any>[];
    declarations?: Type<any>[];
    exports?: Type<any>[];
    providers?: Provider[];
  }): (target: any) => any;
  export function ViewChild(selector: Function | string, options?: { read?: any; static?: boolean }): (target: any, key: string) => void;
  export function inject<T>(token: Type<T> | AbstractType<T>): T;
}

declare module '@angular/common' {
  export class CommonModule {}
}

declare module '@angular/common/http' {
  import { Observable } from 'rxjs';
  export class HttpHeaders {
    constructor(headers?: string | { [name: string]: string | string[] });
  }
  export class HttpClient {
    private constructor();
    post<T>(url: string, body: any | null, options?: { headers?: HttpHeaders; withCredentials?: boolean }): Observable<T>;
  }
}

declare module '@spartacus/core' {
  import { Observable } from 'rxjs';
  export interface AuthToken {
    access_token: string;
    refresh_token?: string;
    expires_at?: string;
    token_type?: string;
  }
  export interface ClientToken {
    access_token: string;
    token_type: string;
    expires_in: number;
    scope: string;
  }
  export class AuthService {
    private constructor();
    isUserLoggedIn(): Observable<boolean>;
  }
  export class AuthStorageService {
    private constructor();
    getToken(): Observable<AuthToken>;
  }
  export class ClientTokenService {
    private constructor();
    getClientToken(): Observable<ClientToken>;
  }
  export class BaseSiteService {
    private constructor();
    getActive(): Observable<string>;
  }
  export class LanguageService {
    private constructor();
    getActive(): Observable<string>;
  }
}

declare module '@spartacus/order/root' {
  import { Observable } from 'rxjs';
  export interface Order {
    code?: string;
    guid?: string;
    guestCustomer?: boolean;
  }
  export abstract class OrderFacade {
    abstract getOrderDetails(): Observable<Order | undefined>;
  }
}

declare module '@spartacus/storefront' {
  import { Provider, Type } from '@angular/core';
  export enum OutletPosition {
    REPLACE = 'replace',
    BEFORE = 'before',
    AFTER = 'after',
  }
  export function provideOutlet<T>(options: { id: string; position?: OutletPosition; component: Type<T> }): Provider;
}
